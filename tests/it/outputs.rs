//! What can be known of an order's Secrets before anything is paid, and what neighbours do to them afterwards.

use certorder::api::v1alpha1::CertificateOrder;
use certorder_sim::proxy::{Action, Reply, Rule};
use certorder_sim::tencent::Product;
use futures::StreamExt;
use http::{Method, StatusCode};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::fixtures::{self, CERTIFICATE, NAME};
use crate::process::Process;
use crate::world::{World, condition, message};

const SUBMIT: &str = "CertificateInfoSubmit";

/// The Secret with the label by which its owner lets it be used.
fn readable(mut secret: Value) -> Value {
    secret["metadata"]["labels"] = json!({"certorder.dev/readable": "true"});
    secret
}

fn secret_of(name: &str, type_: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "type": type_, "metadata": {"name": name}, "stringData": data})
}

/// An order of this certificate with a CSR of this key.
fn own_csr(name: &str, certificate: &str, key: &rcgen::KeyPair) -> Value {
    let mut order = fixtures::personal(name);
    order["spec"]["provider"]["tencentCloud"]["certificateId"] = json!(certificate);
    order["spec"].as_object_mut().unwrap().remove("privateKey");
    order["spec"]["csr"] = json!(fixtures::csr_of(key, &[NAME]));
    order
}

/// An order of this certificate whose key is made in the cluster.
fn in_cluster(name: &str, certificate: &str, secret: Option<&str>) -> Value {
    let mut order = fixtures::personal(name);
    order["spec"]["provider"]["tencentCloud"]["certificateId"] = json!(certificate);
    order["spec"]["privateKey"] = json!({"algorithm": "ECDSA"});
    if let Some(secret) = secret {
        order["spec"]["secretName"] = json!(secret);
    }
    order
}

async fn stored(world: &World, name: &str) -> Secret {
    world.api_of::<Secret>().get(name).await.unwrap()
}

fn entry(secret: &Secret, key: &str) -> String {
    String::from_utf8(secret.data.as_ref().unwrap()[key].0.clone()).unwrap()
}

async fn issue(world: &World, name: &str, certificate: &str) {
    let is_ordered = |status: &_| condition(status, "Ordered").is_some_and(|(status, _)| status == "True");
    world.until(name, "ordered", is_ordered).await;
    while world.cloud.running().iter().any(|running| running == certificate) {
        world.cloud.advance(certificate).unwrap();
    }
}

/// One thing that can be wrong.
struct Case {
    name: &'static str,
    before: Vec<Value>,
    spec: Value,
    /// Condition and reason.
    said: (&'static str, &'static str),
    words: &'static str,
    mended: Mend,
}

enum Mend {
    Create(Value),
    Label(&'static str),
    Replace(&'static str, Value),
    Delete(&'static str),
}

fn cases(mine: &str, other: &str) -> Vec<Case> {
    let stores = |name: &str, stores: &str| json!({"secretName": name, "keystores": {"jks": {"passwordSecretRef": {"name": stores, "key": "password"}}}});
    let password = json!({"password": "changeit"});
    let names_key = |name: &str| json!({"secretName": format!("{name}-tls"), "privateKeySecretRef": {"name": format!("{name}-mine"), "key": "key"}});
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let (mine, other) = (json!({"key": mine}), json!({"key": other}));
    vec![
        Case {
            name: "other-key",
            before: vec![secret_of("other-key-mine", "Opaque", &other)],
            spec: names_key("other-key"),
            said: ("Stalled", "KeyNotHeld"),
            words: "another key than the one of the CSR",
            mended: Mend::Replace("other-key-mine", mine.clone()),
        },
        Case {
            name: "encrypted",
            before: vec![secret_of("encrypted-mine", "Opaque", &json!({"key": encrypted}))],
            spec: names_key("encrypted"),
            said: ("Stalled", "KeyNotHeld"),
            words: "encrypted-mine of spec.privateKeySecretRef",
            mended: Mend::Replace("encrypted-mine", mine.clone()),
        },
        Case {
            name: "no-key",
            before: vec![],
            spec: names_key("no-key"),
            said: ("Reconciling", "SecretNotFound"),
            words: "no-key-mine of spec.privateKeySecretRef",
            mended: Mend::Create(secret_of("no-key-mine", "Opaque", &mine)),
        },
        Case {
            name: "no-entry",
            before: vec![secret_of("no-entry-mine", "Opaque", &json!({"other": "x"}))],
            spec: names_key("no-entry"),
            said: ("Reconciling", "SecretKeyMissing"),
            words: "has no key key",
            mended: Mend::Replace("no-entry-mine", mine),
        },
        Case {
            name: "opaque",
            before: vec![secret_of("opaque-tls", "kubernetes.io/dockercfg", &json!({".dockercfg": "{}"}))],
            spec: json!({"secretName": "opaque-tls"}),
            said: ("Stalled", "SecretConflict"),
            words: "has the type kubernetes.io/dockercfg",
            mended: Mend::Delete("opaque-tls"),
        },
        Case {
            name: "no-password",
            before: vec![],
            spec: stores("no-password-tls", "stores"),
            said: ("Reconciling", "SecretNotFound"),
            words: "Secret stores of spec.keystores.jks.passwordSecretRef",
            mended: Mend::Create(readable(secret_of("stores", "Opaque", &password))),
        },
        Case {
            name: "no-label",
            before: vec![secret_of("theirs", "Opaque", &password)],
            spec: stores("no-label-tls", "theirs"),
            said: ("Reconciling", "SecretKeyMissing"),
            words: "lacks the label certorder.dev/readable: \"true\"; whoever gets the keystore could find out",
            mended: Mend::Label("theirs"),
        },
    ]
}

#[tokio::test]
async fn what_is_wrong_with_the_outputs_is_said_before_anything_is_sent() {
    let world = World::start().await;
    let [mine, other] = [(); 2].map(|()| rcgen::KeyPair::generate().unwrap());
    for case in cases(&mine.serialize_pem(), &other.serialize_pem()) {
        let Case { name, before, spec, said: (type_, reason), words, mended } = case;
        world.buy(name, Product::DV_SINGLE);
        for secret in before {
            world.create::<Secret>(secret).await;
        }
        let mut order = own_csr(name, name, &mine);
        order["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        order["spec"]["mode"] = json!("Plan");
        world.create::<CertificateOrder>(order).await;
        let status = world.until_is(name, type_, "True", reason).await;
        assert!(message(&status, type_).contains(words), "{name}: {}", message(&status, type_));
        world.edit::<CertificateOrder>(name, json!({"spec": {"mode": "Apply"}})).await;
        world.until_is(name, type_, "True", reason).await;
        assert_eq!(world.carried_out(SUBMIT, name), 0, "{name}");
        match mended {
            Mend::Label(secret) => {
                let label = json!({"metadata": {"labels": {"certorder.dev/readable": "true"}}});
                world.edit::<Secret>(secret, label).await;
            }
            Mend::Create(secret) => drop(world.create::<Secret>(secret).await),
            Mend::Replace(secret, data) => {
                drop(world.edit::<Secret>(secret, json!({"stringData": data})).await);
            }
            Mend::Delete(secret) => world.delete::<Secret>(secret).await,
        }
        world.until_is(name, "Submitted", "True", "Accepted").await;
    }
}

#[tokio::test]
async fn of_two_orders_with_one_secret_name_the_submitted_one_goes_on_and_the_other_one_once_it_may() {
    let world = World::start().await;
    for certificate in ["first", "second"] {
        world.buy(certificate, Product::DV_SINGLE);
    }
    world.create::<CertificateOrder>(in_cluster("first", "first", Some("shared"))).await;
    world.until_is("first", "Submitted", "True", "Accepted").await;
    world.create::<CertificateOrder>(in_cluster("second", "second", Some("shared"))).await;
    let status = world.until_is("second", "Stalled", "True", "SecretConflict").await;
    assert!(
        message(&status, "Stalled").contains("CertificateOrder first"),
        "{}",
        message(&status, "Stalled")
    );
    assert_eq!(world.carried_out(SUBMIT, "second"), 0);
    world.edit::<CertificateOrder>("first", json!({"spec": {"secretName": "its-own"}})).await;
    world.until_is("second", "Submitted", "True", "Accepted").await;
}

#[tokio::test]
async fn an_order_for_the_successor_of_a_certificate_is_submitted_and_leaves_its_secret_alone() {
    let world = World::start().await;
    for certificate in ["old", "new", "third"] {
        world.buy(certificate, Product::DV_SINGLE);
    }
    world.create::<CertificateOrder>(in_cluster("old", "old", Some("shared"))).await;
    issue(&world, "old", "old").await;
    world.until_is("old", "Ready", "True", "Issued").await;
    let served = entry(&stored(&world, "shared").await, "tls.crt");
    world.cloud.set("old", |old| old.successors.renew_order = Some("new".to_owned())).unwrap();
    world.poke("old").await;
    world.until("old", "renewed", |status| status.replaced_by.as_deref() == Some("new")).await;

    world.create::<CertificateOrder>(in_cluster("third", "third", Some("shared"))).await;
    world.until_is("third", "Stalled", "True", "SecretConflict").await;
    world.create::<CertificateOrder>(in_cluster("new", "new", Some("shared"))).await;
    issue(&world, "new", "new").await;
    let status = world.until_is("new", "SecretSynced", "False", "SecretConflict").await;
    let said = message(&status, "SecretSynced");
    assert!(said.contains("CertificateOrder old"), "{said}");
    assert_eq!(condition(&status, "Issued"), Some(("True".into(), "Issued".into())));
    assert_eq!(entry(&stored(&world, "shared").await, "tls.crt"), served);
    assert_eq!((world.carried_out(SUBMIT, "new"), world.carried_out(SUBMIT, "third")), (1, 0));
}

#[tokio::test]
async fn the_key_of_another_order_survives_every_advice() {
    let world = World::start().await;
    for certificate in ["shop", "other", "late"] {
        world.buy(certificate, Product::DV_SINGLE);
    }
    world.create::<CertificateOrder>(in_cluster("shop", "shop", None)).await;
    world.until_is("shop", "Submitted", "True", "Accepted").await;
    let key = entry(&stored(&world, "shop-key").await, "tls.key");

    let mine = rcgen::KeyPair::generate().unwrap();
    let mut other = own_csr("other", "other", &mine);
    other["spec"]["secretName"] = json!("shop-key");
    world.create::<CertificateOrder>(other).await;
    let status = world.until_is("other", "Stalled", "True", "SecretConflict").await;
    let said = message(&status, "Stalled");
    assert!(
        said.contains("CertificateOrder shop") && !said.contains("delete") && !said.contains("annotate"),
        "{said}"
    );
    assert_eq!(world.carried_out(SUBMIT, "other"), 0);

    // One that is submitted already is not stopped; and what 0.1.0 told its user to do takes nothing away.
    world.create::<CertificateOrder>(own_csr("late", "late", &mine)).await;
    issue(&world, "late", "late").await;
    world.until_is("late", "Ready", "True", "Issued").await;
    world.edit::<CertificateOrder>("late", json!({"spec": {"secretName": "shop-key"}})).await;
    let status = world.until_is("late", "SecretSynced", "False", "SecretConflict").await;
    assert!(!message(&status, "SecretSynced").contains("annotate"), "{}", message(&status, "SecretSynced"));
    let marks = json!({"certorder.dev/order": "late", "certorder.dev/certificate-id": "late"});
    world.edit::<Secret>("shop-key", json!({"metadata": {"annotations": marks}})).await;
    world.poke("late").await;
    let status = world
        .until("late", "told of the key", |status| {
            message(status, "SecretSynced").contains("holds a private key")
        })
        .await;
    assert_eq!(condition(&status, "SecretSynced"), Some(("False".into(), "SecretConflict".into())));
    assert_eq!(entry(&stored(&world, "shop-key").await, "tls.key"), key);
}

/// Somebody who patches a Secret again each time that it is not as they want it.
fn neighbour(world: &World, name: &'static str, patch: Value) -> tokio::task::JoinHandle<()> {
    let secrets: Api<Secret> = world.api_of();
    tokio::spawn(async move {
        let of_this = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let mut changes = std::pin::pin!(watcher(secrets.clone(), of_this).applied_objects());
        let params = PatchParams { field_manager: Some("reloader".to_owned()), ..PatchParams::default() };
        while let Some(secret) = changes.next().await {
            if secret.is_ok() {
                let _ = secrets.patch(name, &params, &Patch::Merge(&patch)).await;
            }
        }
    })
}

/// The calls to the cloud.
fn calls(world: &World) -> usize {
    world.cloud.ledger().len()
}

async fn issued(world: &World, changes: &Value) {
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    let mut order = in_cluster("www", CERTIFICATE, Some("www-tls"));
    order["spec"].as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    world.create::<CertificateOrder>(order).await;
    issue(world, "www", CERTIFICATE).await;
    world.until_is("www", "SecretSynced", "True", "Synced").await;
    world.until_is("www", "Ready", "True", "Issued").await;
}

#[tokio::test]
async fn a_fight_about_a_secret_is_said_and_costs_the_cloud_nothing() {
    let world = World::start().await;
    issued(&world, &json!({})).await;
    let ours = stored(&world, "www-tls").await;
    let before = calls(&world);
    let theirs = rcgen::generate_simple_self_signed(vec![NAME.to_owned()]).unwrap();
    let data = json!({"tls.crt": theirs.cert.pem(), "tls.key": theirs.signing_key.serialize_pem()});
    let neighbour = neighbour(&world, "www-tls", json!({ "stringData": data }));
    let status = world.until_is("www", "SecretSynced", "False", "SecretContested").await;
    assert!(message(&status, "SecretSynced").contains("field manager reloader"), "{status:?}");
    world.until_event("SecretContested").await;
    world.until_is("www", "Stalled", "True", "SecretContested").await;
    neighbour.abort();
    world.until_object::<Secret>("www-tls", |secret| secret.data == ours.data).await;
    world.until_is("www", "Ready", "True", "Issued").await;
    assert_eq!(calls(&world), before, "no call to the cloud");
}

#[tokio::test]
async fn ready_stays_while_the_pair_fits() {
    let world = World::start().await;
    issued(&world, &json!({"secretTemplate": {"labels": {"team": "web"}}})).await;
    let before = calls(&world);
    let neighbour = neighbour(&world, "www-tls", json!({"metadata": {"labels": {"team": "theirs"}}}));
    let status = world.until_is("www", "SecretSynced", "False", "SecretContested").await;
    assert_eq!(condition(&status, "Ready"), Some(("True".into(), "Issued".into())));
    assert_eq!(calls(&world), before, "no call to the cloud");
    neighbour.abort();
}

#[tokio::test]
async fn entries_that_others_add_are_left_alone() {
    let world = World::start().await;
    issued(&world, &json!({})).await;
    let before = calls(&world);
    let looks = || world.api.seen().iter().filter(|seen| seen.path.ends_with("/secrets/www-tls")).count();
    let looked = looks();
    world.edit::<Secret>("www-tls", json!({"stringData": {"keystore.jks": "theirs"}})).await;
    let theirs = stored(&world, "www-tls").await;
    tokio::time::timeout(std::time::Duration::from_secs(30), async {
        while looks() == looked {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(calls(&world), before, "the Secret alone is looked at");
    world.poke("www").await;
    world.until("www", "poked", |_| true).await;
    assert_eq!(stored(&world, "www-tls").await, theirs, "nothing is written");
}

#[tokio::test]
async fn a_secret_that_is_written_again_and_again_is_told_by_an_event_the_log_and_a_metric() {
    let world = World::quiet().await;
    let mut process = Process::start(&world.api.url(), &world.net.url(), &world.namespace);
    issued(&world, &json!({})).await;
    let busy = "certorder_busy_objects_total{kind=\"Secret\"} 1";
    for number in 1..=10 {
        let metrics = process.metrics().await;
        assert!(!metrics.contains(busy), "after {number} writes: {metrics}");
        let label = json!({"secretTemplate": {"labels": {"number": number.to_string()}}});
        world.edit::<CertificateOrder>("www", json!({ "spec": label })).await;
        let is_written = |secret: &Secret| {
            let labels = secret.metadata.labels.as_ref();
            labels.is_some_and(|labels| labels.get("number") == Some(&number.to_string()))
        };
        world.until_object::<Secret>("www-tls", is_written).await;
    }
    let note = "Secret www-tls was written more than 10 times within a minute";
    process.until_logged(note).await;
    let metrics = process.metrics().await;
    assert!(metrics.contains(busy), "{metrics}");
    world.until_warned("WrittenOften", note).await;
}

#[tokio::test]
async fn what_is_taken_out_of_the_template_is_taken_back_and_the_key_is_not_offered_to_copiers() {
    let world = World::start().await;
    let copies = "replicator.v1.mittwald.de/replicate-to";
    let template =
        json!({"labels": {"team": "web", "cost": "1"}, "annotations": {copies: "all", "note": "x"}});
    issued(&world, &json!({ "secretTemplate": template })).await;
    let key = stored(&world, "www-key").await;
    assert_eq!(key.metadata.labels.as_ref().unwrap()["team"], "web");
    assert_eq!(key.metadata.annotations.as_ref().unwrap()["note"], "x");
    assert!(!key.metadata.annotations.as_ref().unwrap().contains_key(copies));

    let theirs = json!({"metadata": {"labels": {"theirs": "1"}, "annotations": {"theirs": "1"}}});
    world.edit::<Secret>("www-tls", theirs).await;
    let before = calls(&world);
    let fewer = json!({"labels": {"cost": null}, "annotations": {copies: null}});
    world.edit::<CertificateOrder>("www", json!({"spec": {"secretTemplate": fewer}})).await;
    world
        .until_object::<Secret>("www-tls", |secret| {
            let (labels, annotations) = (&secret.metadata.labels, &secret.metadata.annotations);
            !labels.as_ref().unwrap().contains_key("cost")
                && !annotations.as_ref().unwrap().contains_key(copies)
        })
        .await;
    let tls = stored(&world, "www-tls").await;
    let (labels, annotations) = (tls.metadata.labels.unwrap(), tls.metadata.annotations.unwrap());
    assert_eq!(
        [&labels["team"], &labels["theirs"], &annotations["note"], &annotations["theirs"]],
        ["web", "1", "x", "1"]
    );
    assert_eq!(calls(&world), before + 1, "one look, and nothing is fetched");
}

#[tokio::test]
async fn keys_that_nobody_allowed_are_left_off_and_the_order_goes_on() {
    let mut world = World::start().await;
    let copies = "reflector.v1.k8s.emberstack.com/reflection-allowed";
    let template = json!({
        "labels": {"team": "web", "app.kubernetes.io/part-of": "shop", "argocd.argoproj.io/instance": "shop"},
        "annotations": {copies: "true", "note": "x"},
    });
    issued(&world, &json!({ "secretTemplate": template })).await;
    let status = world.until_is("www", "SecretTemplateAccepted", "False", "PrefixNotAllowed").await;
    let said = message(&status, "SecretTemplateAccepted");
    assert!(said.contains(copies) && said.contains("argocd.argoproj.io/instance"), "{said}");
    assert!(said.contains("--secret-template-prefix"), "{said}");
    world.until_event("PrefixNotAllowed").await;
    for name in ["www-tls", "www-key"] {
        let secret = stored(&world, name).await;
        let (labels, annotations) = (secret.metadata.labels.unwrap(), secret.metadata.annotations.unwrap());
        assert_eq!(
            [&labels["team"], &labels["app.kubernetes.io/part-of"], &annotations["note"]],
            ["web", "shop", "x"]
        );
        assert!(!labels.contains_key("argocd.argoproj.io/instance"), "{name}: {labels:?}");
        assert!(!annotations.contains_key(copies), "{name}: {annotations:?}");
    }
    // Nothing is written without end, and not by another process either.
    let (before, order) = (stored(&world, "www-tls").await, world.orders().get("www").await.unwrap());
    world.stop().await;
    world.run();
    world.poke("www").await;
    world.until("www", "poked", |_| true).await;
    assert_eq!(stored(&world, "www-tls").await, before);
    assert_eq!(world.status("www").await.conditions, order.status.unwrap().conditions);

    let fewer = json!({"labels": {"argocd.argoproj.io/instance": null}, "annotations": {copies: null}});
    world.edit::<CertificateOrder>("www", json!({"spec": {"secretTemplate": fewer}})).await;
    world.until("www", "accepted", |status| condition(status, "SecretTemplateAccepted").is_none()).await;
    world.until_is("www", "Ready", "True", "Issued").await;
}

#[tokio::test]
async fn a_keystore_that_was_written_before_stays_while_its_password_lacks_the_label() {
    let mut world = World::start().await;
    world.create::<Secret>(readable(secret_of("stores", "Opaque", &json!({"password": "changeit"})))).await;
    let keystores = json!({"pkcs12": {"passwordSecretRef": {"name": "stores", "key": "password"}}});
    issued(&world, &json!({ "keystores": keystores })).await;
    let before = stored(&world, "www-tls").await;
    let label = |value: Value| json!({"metadata": {"labels": {"certorder.dev/readable": value}}});

    // As after an upgrade from a version that asked for no label.
    world.stop().await;
    world.edit::<Secret>("stores", label(Value::Null)).await;
    world.run();
    world.poke("www").await;
    let asks = |status: &_| {
        let said = message(status, "SecretSynced");
        said.contains("keystore.p12 in Secret www-tls stays as it was written before")
            && said.contains("Secret stores of spec.keystores.pkcs12.passwordSecretRef lacks the label")
    };
    world.until("www", "asking for the label", asks).await;
    let status = world.until_is("www", "SecretSynced", "True", "Synced").await;
    assert_eq!(condition(&status, "Ready"), Some(("True".into(), "Issued".into())));
    assert_eq!(stored(&world, "www-tls").await, before, "nothing is written");

    // The pair is restored all the same.
    world.edit::<Secret>("www-tls", json!({"stringData": {"tls.crt": "edited"}})).await;
    world.until_object::<Secret>("www-tls", |secret| secret.data == before.data).await;
    let status = world.until_is("www", "Ready", "True", "Issued").await;
    assert!(asks(&status), "{status:?}");

    world.edit::<Secret>("stores", label("true".into())).await;
    let is_said_no_more =
        |status: &_| message(status, "SecretSynced") == "the Secret holds the issued certificate";
    world.until("www", "as before", is_said_no_more).await;
    assert_eq!(stored(&world, "www-tls").await.data, before.data);
}

#[tokio::test]
async fn a_secret_that_the_api_server_refused_is_tried_again_by_itself() {
    let world = World::start().await;
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403,
        "message": "secrets \"www-tls\" is forbidden: exceeded quota",
    });
    world.buy(CERTIFICATE, Product::DV_SINGLE);
    world.create::<CertificateOrder>(in_cluster("www", CERTIFICATE, Some("www-tls"))).await;
    world.until_is("www", "Ordered", "True", "Accepted").await;
    let refuses = Action::Status(Reply::json(StatusCode::FORBIDDEN, &status));
    world.api.fault(Rule::new(refuses).always().method(Method::POST).path("/secrets"));
    issue(&world, "www", CERTIFICATE).await;
    let status = world.until_is("www", "SecretSynced", "False", "SecretConflict").await;
    assert!(message(&status, "SecretSynced").contains("exceeded quota"), "{status:?}");
    world.api.clear();
    world.until_is("www", "Ready", "True", "Issued").await;
    assert_eq!(world.called("DescribeCertificateDetail"), 1, "it was fetched once");
}

/// A definition like that of orders, for this story alone: a change of the one that all use ends their watches. With the
/// rules on names, or without any.
async fn define(client: &Client, group: &str, with_rules: bool) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let crd =
        certorder::api::crds().into_iter().find(|crd| crd.spec.names.kind == "CertificateOrder").unwrap();
    let mut crd = serde_json::to_value(crd).unwrap();
    let rules = &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["x-kubernetes-validations"];
    let rules = rules.as_array_mut().unwrap();
    let all = rules.len();
    if !with_rules {
        rules.retain(|rule| rule["optionalOldSelf"] != true);
        assert!(rules.len() < all);
    }
    let name = format!("{}.{group}", crd["spec"]["names"]["plural"].as_str().unwrap());
    crd["metadata"] = json!({ "name": name });
    crd["spec"]["group"] = json!(group);
    crd["spec"]["names"].as_object_mut().unwrap().remove("shortNames");
    crd["spec"]["names"].as_object_mut().unwrap().remove("categories");
    let params = PatchParams::apply("story").force();
    api.patch(&name, &params, &Patch::Apply(&crd)).await.unwrap();
    let established = kube::runtime::conditions::is_crd_established();
    kube::runtime::wait::await_condition(api, &name, established).await.unwrap();
}

/// Orders whose names do not fit, with a part of what is said of each.
fn misnamed() -> Vec<(Value, &'static str)> {
    let twice = {
        let mut order = in_cluster("twice", "twice", Some("one"));
        order["spec"]["provider"]["tencentCloud"]["tkeSecretName"] = json!("one");
        order
    };
    let tke = {
        let mut order = in_cluster("tke", "tke", None);
        order["spec"]["provider"]["tencentCloud"]["tkeSecretName"] = json!("tke-key");
        order
    };
    vec![
        (in_cluster(&"a".repeat(250), "long", None), "leaves no room"),
        (in_cluster("own", "own", Some("own-key")), "kept for the key of this order"),
        (twice, "a Secret of its own"),
        (tke, "a Secret of its own"),
    ]
}

#[tokio::test]
async fn names_that_do_not_fit_are_refused_and_what_is_stored_takes_every_other_write() {
    let world = World::quiet().await;
    for (order, words) in misnamed() {
        let order: CertificateOrder = serde_json::from_value(order).unwrap();
        let said = world.orders().create(&PostParams::default(), &order).await.unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    }
    let group = format!("{}.example", world.namespace);
    let kind = kube::core::GroupVersionKind::gvk(&group, "v1alpha1", "CertificateOrder");
    let resource = kube::core::ApiResource::from_gvk_with_plural(&kind, "certificateorders");
    let orders: Api<kube::core::DynamicObject> =
        Api::namespaced_with(world.client(), &world.namespace, &resource);
    let object = |order: &Value| -> kube::core::DynamicObject {
        let mut order = order.clone();
        order["apiVersion"] = json!(format!("{group}/v1alpha1"));
        serde_json::from_value(order).unwrap()
    };
    // A new definition takes a moment to count.
    let try_out = PostParams { dry_run: true, ..PostParams::default() };
    let until = async |refused: bool| {
        for _ in 0..500 {
            let mut all = true;
            for (mut order, _) in misnamed() {
                if order["metadata"]["name"].as_str().unwrap().len() < 200 {
                    order["metadata"]["name"] = json!("trial");
                    order["spec"]["secretName"] = json!("trial-key");
                }
                let tried = orders.create(&try_out, &object(&order)).await;
                all &= matches!(&tried, Err(kube::Error::Api(status)) if status.code == 422) == refused
                    && (refused || tried.is_ok());
            }
            if all {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("refused: {}", !refused);
    };
    define(&world.client(), &group, false).await;
    until(false).await;
    for (order, _) in misnamed() {
        orders.create(&PostParams::default(), &object(&order)).await.unwrap();
    }
    orders
        .create(&PostParams::default(), &object(&in_cluster("fits", "fits", Some("fits-tls"))))
        .await
        .unwrap();
    define(&world.client(), &group, true).await;
    until(true).await;
    let edit = async |name: &str, change: Value| {
        orders.patch(name, &PatchParams::default(), &Patch::Merge(&change)).await
    };
    for (order, _) in misnamed() {
        let name = order["metadata"]["name"].as_str().unwrap();
        let status = json!({"status": {"observedGeneration": 1, "phase": "Pending"}});
        orders.patch_status(name, &PatchParams::default(), &Patch::Merge(&status)).await.unwrap();
        let metadata = json!({"labels": {"team": "shop"}, "finalizers": ["certorder.dev/cleanup"]});
        edit(name, json!({ "metadata": metadata })).await.unwrap();
        edit(name, json!({"spec": {"suspend": true}})).await.unwrap();
        edit(name, json!({"metadata": {"finalizers": null}})).await.unwrap();
    }
    let refused = edit("fits", json!({"spec": {"secretName": "fits-key"}})).await.unwrap_err();
    assert!(refused.to_string().contains("kept for the key of this order"), "{refused}");
    let definitions: Api<CustomResourceDefinition> = Api::all(world.client());
    let name = format!("certificateorders.{group}");
    definitions.delete(&name, &kube::api::DeleteParams::default()).await.unwrap();
}
