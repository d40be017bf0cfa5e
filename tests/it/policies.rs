//! The policies of `deploy/policies`, which need no webhook: which names a namespace may order, and how many orders it
//! may have. Only a real API server evaluates them; the in-process one stores them.

use std::time::Duration;

use certorder::api::v1alpha1::CertificateOrder;
use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::core::v1::{Namespace, ResourceQuota};
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::runtime::wait::await_condition;
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use crate::cluster::{self, Cluster};
use crate::deploy;
use crate::dns_endpoints;
use crate::fixtures;
use crate::world::World;

const ANNOTATION: &str = "certorder.dev/allowed-domains";

/// The policy of one file, applied to the namespace of one story only.
pub(crate) struct Policy {
    client: Client,
    objects: Vec<DynamicObject>,
}

impl Policy {
    pub(crate) async fn apply(world: &World, file: &str, change: impl Fn(&mut Value)) -> Self {
        let mut objects = deploy::read_file(&format!("deploy/policies/{file}.yaml"));
        let name = format!("{file}-{}", world.namespace);
        for object in &mut objects {
            object.metadata.name = Some(name.clone());
            let is_binding = deploy::kind(object) == "ValidatingAdmissionPolicyBinding";
            let spec = &mut object.data["spec"];
            if is_binding {
                spec["policyName"] = name.clone().into();
                spec["matchResources"] = json!({
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": world.namespace}},
                });
            } else {
                change(spec);
            }
        }
        let client = world.client();
        deploy::apply(&client, &objects).await;
        Self { client, objects }
    }

    pub(crate) async fn remove(self) {
        let params = DeleteParams::default();
        for object in &self.objects {
            let name = object.name_any();
            if deploy::kind(object) == "ValidatingAdmissionPolicy" {
                let api: Api<ValidatingAdmissionPolicy> = Api::all(self.client.clone());
                api.delete(&name, &params).await.unwrap();
            } else {
                let api: Api<ValidatingAdmissionPolicyBinding> = Api::all(self.client.clone());
                api.delete(&name, &params).await.unwrap();
            }
        }
    }
}

fn order(name: &str, common_name: &str, further: &[&str]) -> Value {
    let mut order = fixtures::personal(name);
    order["spec"]["commonName"] = common_name.into();
    if !further.is_empty() {
        order["spec"]["dnsNames"] = json!(further);
    }
    order
}

/// The admission result of an order, by a dry run.
async fn admission(world: &World, order: Value) -> Result<(), String> {
    let params = PostParams { dry_run: true, ..PostParams::default() };
    match world.orders().create(&params, &serde_json::from_value(order).unwrap()).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) => Err(status.message.clone()),
        Err(error) => panic!("{error}"),
    }
}

/// Waits until an order gets this result: the API server takes a moment to see a policy or a parameter.
pub(crate) async fn until(world: &World, common_name: &str, allowed: bool) {
    for _ in 0..150 {
        if admission(world, order("probe", common_name, &[])).await.is_ok() == allowed {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let result = admission(world, order("probe", common_name, &[])).await;
    panic!("{common_name} is never {}: {result:?}", if allowed { "allowed" } else { "refused" });
}

pub(crate) async fn annotate(world: &World, domains: Option<&str>) {
    let api: Api<Namespace> = Api::all(world.client());
    let change = Patch::Merge(json!({"metadata": {"annotations": {ANNOTATION: domains}}}));
    api.patch(&world.namespace, &PatchParams::default(), &change).await.unwrap();
}

/// The list for all cases below.
const LIST: &str = "acme.example, *.acme.example\nblog.example";

async fn the_list_decides(world: &World) {
    for (common_name, further, refused) in [
        ("acme.example", &[][..], None),
        ("www.acme.example", &[][..], None),
        ("*.acme.example", &["a.b.acme.example"][..], None),
        ("blog.example", &["www.acme.example", "blog.example"][..], None),
        ("www.blog.example", &[][..], Some("www.blog.example")),
        ("notacme.example", &[][..], Some("notacme.example")),
        ("acme.example.evil.example", &[][..], Some("acme.example.evil.example")),
        ("acme.example", &["bank.example", "www.acme.example"][..], Some("bank.example")),
    ] {
        let result = admission(world, order("case", common_name, further)).await;
        match (refused, result) {
            (None, result) => assert_eq!(result, Ok(()), "{common_name} {further:?}"),
            (Some(name), Err(message)) => {
                let expected = format!("may not order {name};");
                assert!(message.contains(&expected), "{common_name} {further:?}: {message}");
            }
            (Some(_), Ok(())) => panic!("{common_name} {further:?} is allowed"),
        }
    }
}

#[tokio::test]
async fn a_namespace_orders_the_names_of_its_annotation_only() {
    let world = World::quiet().await;
    let policy = Policy::apply(&world, "domains-by-annotation", |_| {}).await;
    if cluster::is_real() {
        // Without a list, nothing.
        until(&world, "acme.example", false).await;
        annotate(&world, Some(LIST)).await;
        until(&world, "acme.example", true).await;
        the_list_decides(&world).await;
        // A shorter list does not affect existing orders: only new names are compared.
        world.create::<CertificateOrder>(order("www", "www.acme.example", &[])).await;
        annotate(&world, Some("blog.example")).await;
        until(&world, "www.acme.example", false).await;
        world.edit::<CertificateOrder>("www", json!({"spec": {"suspend": true}})).await;
        let change = Patch::Merge(json!({"spec": {"commonName": "shop.acme.example"}}));
        let refused = world.orders().patch("www", &PatchParams::default(), &change).await.unwrap_err();
        assert!(refused.to_string().contains("may not order shop.acme.example"), "{refused}");
        // But nobody proves control of a name that is not on the list any more.
        let switched_on = Patch::Merge(json!({"spec": {"validation": {"dnsEndpoint": true}}}));
        let refused = world.orders().patch("www", &PatchParams::default(), &switched_on).await.unwrap_err();
        assert!(refused.to_string().contains("may not order www.acme.example"), "{refused}");
        annotate(&world, Some("*")).await;
        until(&world, "any.name.example", true).await;
        world.orders().patch("www", &PatchParams::default(), &switched_on).await.unwrap();
        annotate(&world, Some("blog.example")).await;
        until(&world, "any.name.example", false).await;
        world.edit::<CertificateOrder>("www", json!({"spec": {"suspend": false}})).await;
    }
    policy.remove().await;
}

#[tokio::test]
async fn a_namespace_orders_the_names_of_its_list_only() {
    let world = World::quiet().await;
    let names: Vec<&str> = LIST.split([',', '\n']).map(str::trim).collect();
    let list = json!({world.namespace.clone(): names, "shop": ["*"]}).to_string();
    let policy = Policy::apply(&world, "domains-by-list", |spec| {
        for variable in spec["variables"].as_array_mut().unwrap() {
            if variable["name"] == "lists" {
                variable["expression"] = list.clone().into();
            }
        }
    })
    .await;
    if cluster::is_real() {
        until(&world, "shop.example", false).await;
        the_list_decides(&world).await;
    }
    policy.remove().await;
}

#[tokio::test]
async fn a_quota_bounds_the_orders_of_a_namespace() {
    let world = World::quiet().await;
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "orders"},
        "spec": {"hard": {"count/certificateorders.certorder.dev": "1"}},
    });
    world.create::<ResourceQuota>(quota).await;
    if cluster::is_real() {
        let is_counted = |quota: &ResourceQuota| {
            quota
                .status
                .as_ref()
                .is_some_and(|status| status.used.as_ref().is_some_and(|used| !used.is_empty()))
        };
        world.until_object("orders", is_counted).await;
        world.create::<CertificateOrder>(fixtures::personal("one")).await;
        let refused = admission(&world, fixtures::personal("two")).await.unwrap_err();
        assert!(refused.contains("exceeded quota: orders"), "{refused}");
    }
}

#[tokio::test]
async fn the_policies_are_accepted_by_the_api_server() {
    let cluster = Cluster::start(cluster::kubeconfig().as_deref()).await;
    dns_endpoints::install(&cluster.client).await;
    let mut policies = deploy::read("deploy/policies");
    policies.retain(|object| deploy::kind(object) == "ValidatingAdmissionPolicy");
    assert_eq!(policies.len(), 2);
    let misspelled = policies.clone().into_iter().map(|mut policy| {
        let spec = policy.data["spec"].to_string().replace(".spec.commonName", ".spec.commonNam");
        policy.data["spec"] = serde_json::from_str(&spec).unwrap();
        policy
    });
    let misspelled = misspelled.collect::<Vec<_>>();
    let mut of_the_operator = deploy::read_file("deploy/operator/policies-operator.yaml");
    of_the_operator.retain(|object| deploy::kind(object) == "ValidatingAdmissionPolicy");
    policies.extend(of_the_operator);
    let mut of_endpoints = deploy::read("deploy/dns-endpoint");
    of_endpoints.retain(|object| deploy::kind(object) == "ValidatingAdmissionPolicy");
    policies.extend(of_endpoints);
    let right = policies.len();
    assert_eq!(right, 5);
    policies.extend(misspelled);
    for (number, policy) in policies.iter_mut().enumerate() {
        // Without its binding a policy does not affect the other stories.
        policy.metadata.name = Some(format!("unbound-{number}"));
    }
    let stored = deploy::apply(&cluster.client, &policies).await;
    if !cluster::is_real() {
        return;
    }
    // The API server checks the types of the expressions against the CRD, and reports warnings.
    let api: Api<ValidatingAdmissionPolicy> = Api::all(cluster.client.clone());
    for (number, policy) in stored.into_iter().enumerate() {
        let name = policy.name_any();
        let is_checked = |policy: Option<&ValidatingAdmissionPolicy>| {
            policy.is_some_and(|policy| {
                let seen = policy.status.as_ref().and_then(|status| status.observed_generation);
                seen.is_some() && seen == policy.metadata.generation
            })
        };
        let checked = await_condition(api.clone(), &name, is_checked);
        let checked = tokio::time::timeout(Duration::from_mins(1), checked).await.unwrap().unwrap().unwrap();
        let checking = checked.status.and_then(|status| status.type_checking);
        let warnings = checking.and_then(|checking| checking.expression_warnings).unwrap_or_default();
        if number < right {
            assert!(warnings.is_empty(), "{name}: {warnings:?}");
        } else {
            // It would not notice a field that the CRD does not have if no version were named.
            let found =
                warnings.iter().any(|warning| warning.warning.contains("undefined field 'commonNam'"));
            assert!(found, "{name}: {warnings:?}");
        }
        api.delete(&name, &DeleteParams::default()).await.unwrap();
    }
}
