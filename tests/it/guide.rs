//! The guide: its manifests are taken from the page as they stand there. The order reaches what the page says, at both
//! clouds, and what serves the site names the Secret that the order writes, before a renewal and after it.

use std::path::{Path, PathBuf};

use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus, OrganizationProfile};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{
    ApiResource, DynamicObject, ListParams, Patch, PatchParams, PostParams, ValidationDirective,
};
use kube::core::GroupVersionKind;
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use crate::clouds::{Kind, Product, for_both_clouds};
use crate::renewals;
use crate::world::{World, condition, message};

for_both_clouds! {
    the_guide_leads_from_a_bought_certificate_to_a_renewed_one_in_the_same_secret,
}

/// The Secret that the guide's order writes.
const SECRET: &str = "www-tls";
/// The namespace of the guide, which a story replaces by its own.
const NAMESPACE: &str = "shop";

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The YAML blocks of the page.
fn blocks() -> Vec<String> {
    let page = std::fs::read_to_string(file("docs/guide.md")).unwrap();
    let blocks = page.split("```yaml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// The objects of the block that begins with this name of a file.
fn objects(name: &str) -> Vec<Value> {
    let first = format!("# {name}\n");
    let found: Vec<_> = blocks().into_iter().filter(|block| block.starts_with(&first)).collect();
    let [block] = found.try_into().unwrap_or_else(|found| panic!("{name}: {found:?}"));
    serde_saphyr::from_multiple(&block).unwrap()
}

fn object(name: &str) -> Value {
    let [object] = objects(name).try_into().unwrap();
    object
}

/// The order for a cloud: at Huawei Cloud with the two fields of the block without a name.
fn order(kind: Kind) -> Value {
    let mut order = object("www.yaml");
    if kind == Kind::Huawei {
        let fields: Vec<_> = blocks().into_iter().filter(|block| !block.starts_with("# ")).collect();
        let [fields] = fields.try_into().unwrap();
        let fields: Value = serde_saphyr::from_str(&fields).unwrap();
        order["spec"].as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    }
    order
}

/// What is in the namespace of the guide is in that of the story.
fn moved(object: &Value, namespace: &str) -> Value {
    let text = object.to_string().replace(&json!(NAMESPACE).to_string(), &json!(namespace).to_string());
    serde_json::from_str(&text).unwrap()
}

/// Applies an object as `kubectl apply --server-side` does; a field that the API server does not know is an error.
async fn apply(world: &World, object: &Value) {
    let object: DynamicObject = serde_json::from_value(moved(object, &world.namespace)).unwrap();
    let types = object.types.clone().unwrap();
    let kind = ApiResource::from_gvk(&GroupVersionKind::try_from(&types).unwrap());
    let api: Api<DynamicObject> = Api::namespaced_with(world.client(), &world.namespace, &kind);
    let params = PatchParams {
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply("guide").force()
    };
    api.patch(&object.name_any(), &params, &Patch::Apply(&object)).await.unwrap();
}

/// A world with the certificate that the guide's order names, which is for an organisation.
async fn bought(kind: Kind, order: &Value) -> World {
    let mut world = World::quiet_at(kind).await;
    let provider = order["spec"]["provider"].as_object().unwrap();
    let [block] = provider.values().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(block["certificateId"], json!(world.certificate()), "the story buys this one");
    world.site.buy(world.certificate(), Product::Ov);
    world.run();
    world
}

async fn leaf(world: &World) -> (String, Vec<u8>) {
    let secret: Secret = world.api_of().get(SECRET).await.unwrap();
    (secret.type_.unwrap(), secret.data.unwrap()["tls.crt"].0.clone())
}

async fn the_guide_leads_from_a_bought_certificate_to_a_renewed_one_in_the_same_secret(kind: Kind) {
    let order = order(kind);
    let mut world = bought(kind, &order).await;
    apply(&world, &object("acme.yaml")).await;
    world.until_profile("acme", "True", "Complete").await;

    apply(&world, &order).await;
    let status = world.until_is("www", "Planned", "True", "Planned").await;
    assert_eq!(status.phase.as_deref(), Some("Planned"));
    let plan = serde_json::to_string(&status.plan).unwrap();
    assert!(plan.contains("www.acme.example") && !plan.contains("pki@acme.example"), "{plan}");
    assert_eq!(world.made(kind.submit()), 0);

    let text = order.to_string().replace(r#""mode":"Plan""#, r#""mode":"Apply""#);
    apply(&world, &serde_json::from_str(&text).unwrap()).await;
    world.until_is("www", "Ordered", "True", "Accepted").await;
    let key: Secret = world.api_of().get("www-key").await.unwrap();
    assert!(key.data.unwrap().contains_key("tls.key"));
    asked_for_a_record(&world).await;
    renewals::issue(&world, world.certificate());
    world.until_is("www", "Ready", "True", "Issued").await;
    let first = leaf(&world).await;
    assert_eq!(first.0, "kubernetes.io/tls");
    assert_eq!(world.made(kind.submit()), 1);

    world.until("www", "scheduled", |status| status.renewal.is_some()).await;
    renewals::until_before_the_end(&mut world, 25).await;
    let next = renewals::filed(&world);
    world.poke("www").await;
    let made = renewals::made_with(&world, &next, "Ordered", "True").await;
    assert!(made.strip_prefix("www-").is_some_and(|hash| hash.len() == 8), "{made}");
    let asks = world.until_is("www", "Renewing", "True", "SuccessorInProgress").await;
    assert_eq!(condition(&asks, "Ready"), Some(("True".into(), "Issued".into())));
    assert_eq!(leaf(&world).await, first);
    renewals::issue(&world, &next);
    renewals::until_current(&world, &next).await;
    let second = leaf(&world).await;
    assert_eq!(second.0, first.0);
    assert_ne!(second.1, first.1);
}

/// Lets the CA go on until it waits for a record, which the order then tells.
async fn asked_for_a_record(world: &World) {
    let asks = |status: &CertificateOrderStatus| {
        condition(status, "ActionRequired") == Some(("True".into(), "AwaitingValidation".into()))
    };
    world.poke("www").await;
    let mut status = world.until("www", "looked at", |_| true).await;
    for _ in 0..6 {
        if asks(&status) {
            break;
        }
        assert!(!world.site.advance(world.certificate()), "issued without a record");
        world.poke("www").await;
        status = world.until("www", "looked at", |_| true).await;
    }
    assert!(asks(&status), "{status:?}");
    assert_eq!(status.phase.as_deref(), Some("Validating"));
    let record = status.validation_records.first().unwrap();
    let told = message(&status, "ActionRequired");
    for word in [&record.name, &record.value] {
        assert!(told.contains(word.as_str()), "{told}");
    }
}

/// Which names the certificate covers, and which Secret holds it.
#[test]
fn what_serves_the_site_names_the_secret_of_the_order_in_its_namespace() {
    let order: CertificateOrder = serde_json::from_value(order(Kind::Tencent)).unwrap();
    let profile: OrganizationProfile = serde_json::from_value(object("acme.yaml")).unwrap();
    assert_eq!(order.namespace().as_deref(), Some(NAMESPACE));
    assert_eq!(profile.namespace(), order.namespace());
    assert_eq!(order.spec.secret_name.as_deref(), Some(SECRET));
    let host = json!(order.spec.common_name);

    let written = object("ingress.yaml");
    let ingress: Ingress = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(&ingress).unwrap(), written, "every field is one of an Ingress");
    assert_eq!(written["spec"]["tls"], json!([{"hosts": [host], "secretName": SECRET}]));
    assert_eq!(written["spec"]["rules"][0]["host"], host);
    assert_eq!(written["metadata"]["namespace"], json!(NAMESPACE));

    let [gateway, route] = objects("gateway.yaml").try_into().unwrap();
    let listener = &gateway["spec"]["listeners"][0];
    assert_eq!(listener["hostname"], host);
    assert_eq!(listener["tls"]["certificateRefs"], json!([{"name": SECRET}]));
    assert_eq!(route["spec"]["hostnames"], json!([host]));
    assert_eq!(route["spec"]["parentRefs"][0]["name"], gateway["metadata"]["name"]);
    assert_eq!(route["spec"]["parentRefs"][0]["sectionName"], listener["name"]);
    let grant = object("grant.yaml");
    assert_eq!(grant["spec"]["to"][0]["name"], json!(SECRET));
    for object in [&gateway, &route, &grant] {
        assert_eq!(object["metadata"]["namespace"], json!(NAMESPACE));
    }
}

/// Installs the kinds of Gateway API, unless they are there.
async fn install(client: &Client) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for kind in ["gateways", "httproutes", "referencegrants"] {
        let text = std::fs::read_to_string(file(&format!("tests/vectors/gateway-api/{kind}.json"))).unwrap();
        let crd: CustomResourceDefinition = serde_json::from_str(&text).unwrap();
        match api.create(&PostParams::default(), &crd).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            Err(error) => panic!("{kind}: {error}"),
        }
        let (group, version) = (&crd.spec.group, &crd.spec.versions[0].name);
        let gvk = GroupVersionKind::gvk(group, version, &crd.spec.names.kind);
        let all: Api<DynamicObject> = Api::all_with(client.clone(), &ApiResource::from_gvk(&gvk));
        while all.list(&ListParams::default().limit(1)).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test]
async fn the_gateway_of_the_guide_is_what_gateway_api_takes() {
    let world = World::quiet().await;
    install(&world.client()).await;
    for object in objects("gateway.yaml").iter().chain(&objects("grant.yaml")) {
        apply(&world, object).await;
    }
}
