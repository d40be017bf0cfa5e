//! How GitOps tools rate the health of an order: the operator reaches every state, and three checks evaluate the object
//! as the API server returns it. The Lua script and the CEL expressions are those of docs/gitops, and are executed.

use certorder::api::v1alpha1::{CertificateOrder, OrganizationProfile};
use certorder_sim::tencent::Product;
use k8s_openapi::api::core::v1::Secret;
use kube::core::cel::cel;
use mlua::LuaSerdeExt;
use serde_json::{Value, json};

use crate::fixtures::{self, NAME};
use crate::world::World;

const HEALTH: &str = include_str!("../../docs/gitops/argocd/health.lua");
const ARGOCD_CM: &str = include_str!("../../docs/gitops/argocd/argocd-cm.yaml");
const KUSTOMIZATION: &str = include_str!("../../docs/gitops/flux/orders-that-are-waited-for.yaml");

/// The health by kstatus of an object of a kind that it does not know: Flux without expressions, `helm --wait`, kpt.
/// Written from the rules of kubernetes-sigs/cli-utils, `pkg/kstatus/status/generic.go`.
fn kstatus(object: &Value) -> &'static str {
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return "Terminating";
    }
    let observed = object.pointer("/status/observedGeneration");
    if observed.is_some_and(|observed| Some(observed) != object.pointer("/metadata/generation")) {
        return "InProgress";
    }
    let conditions =
        object.pointer("/status/conditions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    // In the order of the list: the first one that is true counts.
    for condition in conditions.iter().filter(|condition| condition["status"] == "True") {
        match condition["type"].as_str() {
            Some("Reconciling") => return "InProgress",
            Some("Stalled") => return "Failed",
            _ => {}
        }
    }
    match conditions.iter().find(|condition| condition["type"] == "Ready") {
        Some(ready) if ready["status"] != "True" => "InProgress",
        _ => "Current",
    }
}

/// The health by Argo CD with the script. An object that is being deleted is handled before the script.
fn argo(object: &Value) -> (String, String) {
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return ("Progressing".to_owned(), "Pending deletion".to_owned());
    }
    let lua = mlua::Lua::new();
    lua.globals().set("obj", lua.to_value(object).unwrap()).unwrap();
    let health: mlua::Table = lua.load(HEALTH).eval().unwrap();
    (health.get("status").unwrap(), health.get("message").unwrap())
}

/// The expressions of the Kustomization, in the order in which Flux evaluates them.
fn expressions() -> Vec<(&'static str, String)> {
    let kustomization: Value = serde_saphyr::from_str(KUSTOMIZATION).unwrap();
    let check = &kustomization["spec"]["healthCheckExprs"][0];
    assert_eq!(
        (check["apiVersion"].as_str(), check["kind"].as_str()),
        (Some("certorder.dev/v1alpha1"), Some("CertificateOrder"))
    );
    [("inProgress", "InProgress"), ("failed", "Failed"), ("current", "Current")]
        .map(|(field, outcome)| (outcome, check[field].as_str().unwrap().to_owned()))
        .into()
}

/// The health by Flux with the expressions.
fn flux(object: &Value) -> &'static str {
    for (outcome, expression) in expressions() {
        match evaluate(&expression, object) {
            Ok(true) => return outcome,
            Ok(false) => {}
            // Flux reports it and polls again: not done.
            Err(_) => return "InProgress",
        }
    }
    "InProgress"
}

fn evaluate(expression: &str, object: &Value) -> Result<bool, String> {
    let program = cel::Program::compile(expression).map_err(|error| error.to_string())?;
    let mut context = cel::Context::default();
    for (name, value) in object.as_object().unwrap() {
        context.add_variable(name.clone(), value).map_err(|error| error.to_string())?;
    }
    match program.execute(&context) {
        Ok(cel::Value::Bool(answer)) => Ok(answer),
        Ok(other) => Err(format!("{other:?}")),
        Err(error) => Err(error.to_string()),
    }
}

#[track_caller]
fn judged(what: &str, object: &Value, expected: (&str, &str, &str)) {
    let (health, message) = argo(object);
    let found = (kstatus(object), health.as_str(), flux(object));
    assert_eq!(found, expected, "{what}: {}", serde_json::to_string_pretty(object).unwrap());
    assert!(!message.is_empty(), "{what}");
}

async fn object(world: &World, name: &str) -> Value {
    serde_json::to_value(world.orders().get(name).await.unwrap()).unwrap()
}

async fn profile_of(world: &World) -> Value {
    serde_json::to_value(world.api_of::<OrganizationProfile>().get("acme").await.unwrap()).unwrap()
}

/// An order for a certificate of its own.
fn order(name: &str, certificate: &str) -> Value {
    let mut order = fixtures::personal(name);
    order["spec"]["provider"]["tencentCloud"]["certificateId"] = certificate.into();
    order
}

fn with(mut order: Value, field: &str, value: Value) -> Value {
    order["spec"][field] = value;
    order
}

#[tokio::test]
async fn an_order_before_it_is_sent() {
    let mut world = World::quiet().await;
    let orders = [
        ("unseen", json!({})),
        ("planned", json!({"mode": "Plan"})),
        ("suspended", json!({"suspend": true})),
        ("waiting", json!({"credentialsRef": {"name": "to-come"}})),
    ];
    for (name, fields) in &orders {
        world.buy(name, Product::DV_SINGLE);
        let mut order = order(name, name);
        order["spec"].as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        world.create::<CertificateOrder>(order).await;
    }
    world.create::<CertificateOrder>(order("wrong", "notBought")).await;
    judged("just applied", &object(&world, "unseen").await, ("InProgress", "Progressing", "InProgress"));
    world.run();
    world.until_is("planned", "Planned", "True", "Planned").await;
    judged("planned", &object(&world, "planned").await, ("InProgress", "Suspended", "InProgress"));
    world.until_is("suspended", "Suspended", "True", "Suspended").await;
    judged("suspended", &object(&world, "suspended").await, ("InProgress", "Suspended", "InProgress"));
    world.until_is("waiting", "Ready", "Unknown", "SecretNotFound").await;
    judged("waiting", &object(&world, "waiting").await, ("InProgress", "Progressing", "InProgress"));
    world.until_is("wrong", "Stalled", "True", "CertificateNotFound").await;
    judged("wrong", &object(&world, "wrong").await, ("Failed", "Degraded", "Failed"));
}

#[tokio::test]
async fn an_order_from_the_ca_to_the_secret() {
    let mut world = World::start().await;
    for name in ["www", "ordered", "shop"] {
        world.buy(name, Product::DV_SINGLE);
    }
    world.create::<CertificateOrder>(with(order("www", "www"), "secretName", json!("www-tls"))).await;
    world
        .create::<CertificateOrder>(with(order("ordered", "ordered"), "readyPolicy", json!("Ordered")))
        .await;
    world.create::<CertificateOrder>(with(order("shop", "shop"), "deletionPolicy", json!("Cancel"))).await;
    world.until_is("www", "Reconciling", "True", "AwaitingValidation").await;
    judged("a record is awaited", &object(&world, "www").await, ("InProgress", "Suspended", "Current"));
    world.until_is("ordered", "Ready", "True", "Ordered").await;
    judged("ordered is enough", &object(&world, "ordered").await, ("Current", "Healthy", "Current"));

    world.until_is("shop", "Ordered", "True", "Accepted").await;
    world.cloud.reject("shop", "the name is on a list").unwrap();
    world.until_is("shop", "Stalled", "True", "Rejected").await;
    judged("rejected", &object(&world, "shop").await, ("Failed", "Degraded", "Failed"));

    world.cloud.advance("www").unwrap();
    world.until_is("www", "Reconciling", "True", "Issuing").await;
    judged("issuing", &object(&world, "www").await, ("InProgress", "Progressing", "Current"));
    while world.cloud.running().iter().any(|running| running == "www") {
        world.cloud.advance("www").unwrap();
    }
    world.until_is("www", "Ready", "True", "Issued").await;
    judged("issued", &object(&world, "www").await, ("Current", "Healthy", "Current"));
    let tls = world.api_of::<Secret>().get("www-tls").await.unwrap();
    assert!(tls.metadata.owner_references.is_none());

    // From here on the tools see no change.
    world.kill();
    world.edit::<CertificateOrder>("www", json!({"spec": {"secretName": "other-tls"}})).await;
    judged("edited", &object(&world, "www").await, ("InProgress", "Progressing", "InProgress"));
    world.delete::<CertificateOrder>("shop").await;
    judged("being deleted", &object(&world, "shop").await, ("Terminating", "Progressing", "InProgress"));
    // Releases the order.
    world.run();
    world.until_deleted("shop").await;
}

#[tokio::test]
async fn an_order_that_waits_for_people() {
    let world = World::start().await;
    for id in ["call", "letter"] {
        world.buy(id, Product::OV_SINGLE);
    }
    world.cloud.set("letter", |certificate| certificate.wants_letter = true).unwrap();
    world.create::<OrganizationProfile>(fixtures::profile()).await;
    let csr = fixtures::csr(&[NAME]);
    for (id, reason) in [("call", "InReview"), ("letter", "AwaitingLetter")] {
        let mut order = fixtures::company(id, &csr);
        order["spec"]["provider"]["tencentCloud"]["certificateId"] = id.into();
        world.create::<CertificateOrder>(order).await;
        world.until_is(id, "ActionRequired", "True", reason).await;
        judged(reason, &object(&world, id).await, ("InProgress", "Suspended", "Current"));
    }
}

#[tokio::test]
async fn a_profile() {
    let mut world = World::quiet().await;
    world.create::<OrganizationProfile>(fixtures::profile()).await;
    let profile = profile_of(&world).await;
    assert_eq!((kstatus(&profile), argo(&profile).0.as_str()), ("InProgress", "Progressing"));
    world.run();
    world.until_profile("acme", "True", "Complete").await;
    let profile = profile_of(&world).await;
    assert_eq!((kstatus(&profile), argo(&profile).0.as_str()), ("Current", "Healthy"));
}

/// Objects that certorder never writes: they test the checks themselves.
#[test]
fn mistakes_and_states_of_later_versions() {
    let made = |status: Value| {
        json!({"apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder",
        "metadata": {"generation": 2}, "spec": {}, "status": status})
    };
    let c =
        |type_: &str, status: &str| json!({"type": type_, "status": status, "reason": "R", "message": "m"});
    let seen = |conditions: Vec<Value>| made(json!({"observedGeneration": 2, "conditions": conditions}));
    for (what, object, expected) in [
        (
            "not yet reconciled",
            made(json!({"observedGeneration": -1})),
            ("InProgress", "Progressing", "InProgress"),
        ),
        ("a status without a generation", made(json!({})), ("Current", "Progressing", "InProgress")),
        ("no condition", seen(vec![]), ("Current", "Progressing", "InProgress")),
        (
            "both, and Reconciling first",
            seen(vec![c("Ready", "False"), c("Reconciling", "True"), c("Stalled", "True")]),
            ("InProgress", "Degraded", "Failed"),
        ),
        (
            "both, and Stalled first",
            seen(vec![c("Stalled", "True"), c("Reconciling", "True"), c("Ready", "False")]),
            ("Failed", "Degraded", "Failed"),
        ),
        (
            "Ready is False and nothing else",
            seen(vec![c("Ready", "False")]),
            ("InProgress", "Progressing", "InProgress"),
        ),
        (
            "a renewal runs",
            seen(vec![c("Ordered", "True"), c("Ready", "True"), c("Renewing", "True")]),
            ("Current", "Healthy", "Current"),
        ),
        (
            "issued, and something to do",
            seen(vec![c("ActionRequired", "True"), c("Ordered", "True"), c("Ready", "True")]),
            ("Current", "Healthy", "Current"),
        ),
        (
            "suspended once issued",
            seen(vec![c("Ordered", "True"), c("Ready", "True"), c("Suspended", "True")]),
            ("Current", "Suspended", "Current"),
        ),
    ] {
        judged(what, &object, expected);
    }
    let mut without = made(json!({}));
    without.as_object_mut().unwrap().remove("status");
    judged("no status at all", &without, ("Current", "Progressing", "InProgress"));
    // Why the expressions use `exists`: the usual form is true for an empty list.
    let usual = "status.conditions.filter(e, e.type == 'Stalled').all(e, e.status == 'True')";
    assert_eq!(evaluate(usual, &seen(vec![c("Ready", "True")])), Ok(true));
}

#[test]
fn what_argo_cd_is_given_is_the_script() {
    let patch: Value = serde_saphyr::from_str(ARGOCD_CM).unwrap();
    let data = patch["data"].as_object().unwrap();
    assert_eq!(data.len(), 2);
    for kind in ["CertificateOrder", "OrganizationProfile"] {
        assert_eq!(data[&format!("resource.customizations.health.certorder.dev_{kind}")], HEALTH);
    }
}

#[test]
fn every_example_is_yaml() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/gitops");
    let folders = [folder.join("argocd"), folder.join("flux"), folder];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    let examples = files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    for example in examples {
        let text = std::fs::read_to_string(example).unwrap();
        let objects: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        assert!(objects.iter().all(Value::is_object), "{}", example.display());
    }
}
