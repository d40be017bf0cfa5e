//! The in-process Kubernetes API, through kube's client.

use std::collections::BTreeMap;
use std::time::Duration;

use certorder_sim::kube::ApiServer;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Namespace, Secret};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, ObjectMeta, Patch,
    PatchParams, PostParams, Preconditions, PropagationPolicy, ValidationDirective, WatchEvent, WatchParams,
};
use kube::core::{PartialObjectMeta, Status};
use kube::runtime::events::{EventType, Recorder};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, Config, Error, ResourceExt};
use serde_json::{Value, json};

/// A server with the kind Widget, and clients of it.
struct World {
    server: ApiServer,
    client: Client,
    widgets: Api<DynamicObject>,
    secrets: Api<Secret>,
}

impl World {
    async fn start() -> Self {
        let server = ApiServer::start().await.unwrap();
        let client = Client::try_from(Config::new(server.url().parse().unwrap())).unwrap();
        let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
        let definition = serde_json::from_value(definition()).unwrap();
        definitions.create(&PostParams::default(), &definition).await.unwrap();
        let widgets = Api::namespaced_with(client.clone(), "default", &widget_kind());
        let secrets = Api::default_namespaced(client.clone());
        Self { server, client, widgets, secrets }
    }

    async fn create(&self, name: &str, spec: Value) -> DynamicObject {
        self.try_create(name, spec).await.unwrap()
    }

    async fn try_create(&self, name: &str, spec: Value) -> kube::Result<DynamicObject> {
        self.widgets.create(&PostParams::default(), &widget(name, spec)).await
    }

    async fn raw(&self, request: http::request::Builder, body: &str) -> kube::Result<Value> {
        self.client.request(request.body(body.as_bytes().to_vec()).unwrap()).await
    }
}

fn widget_kind() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("example.dev", "v1", "Widget"))
}

fn widget(name: &str, spec: Value) -> DynamicObject {
    DynamicObject::new(name, &widget_kind()).data(json!({ "spec": spec }))
}

fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "widgets.example.dev" },
        "spec": {
            "group": "example.dev", "scope": "Namespaced",
            "names": { "kind": "Widget", "plural": "widgets", "shortNames": ["wg"], "categories": ["toys"] },
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "subresources": { "status": {} },
                "selectableFields": [{ "jsonPath": ".spec.colour" }],
                "additionalPrinterColumns": [{ "name": "Colour", "type": "string", "jsonPath": ".spec.colour" }],
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "spec": {
                            "type": "object",
                            "required": ["colour"],
                            "properties": {
                                "colour": { "type": "string", "maxLength": 10 },
                                "size": { "type": "integer", "default": 3, "minimum": 1 },
                                "parts": { "type": "array", "maxItems": 10, "items": { "type": "string" } },
                            },
                            "x-kubernetes-validations": [{
                                "rule": "self.colour != 'plaid'", "message": "plaid is not a colour",
                            }],
                        },
                        "status": {
                            "type": "object",
                            "default": { "observed": -1 },
                            "properties": {
                                "observed": { "type": "integer" },
                                "phase": { "type": "string", "enum": ["New", "Done"] },
                            },
                        },
                    },
                } },
            }],
        },
    })
}

fn secret(name: &str, data: &[(&str, &str)]) -> Secret {
    Secret {
        metadata: ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() },
        string_data: Some(data.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()),
        ..Secret::default()
    }
}

fn refusal<T: std::fmt::Debug>(result: kube::Result<T>) -> Box<Status> {
    match result {
        Err(Error::Api(status)) => status,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn field<'a>(object: &'a DynamicObject, pointer: &str) -> &'a Value {
    object.data.pointer(pointer).unwrap_or(&Value::Null)
}

async fn next<T>(stream: &mut (impl futures::Stream<Item = T> + Unpin)) -> T {
    let event = tokio::time::timeout(Duration::from_secs(5), stream.next()).await;
    event.expect("an event within five seconds").expect("an open stream")
}

#[tokio::test]
async fn a_created_object_is_pruned_defaulted_and_given_an_identity() {
    let world = World::start().await;
    let made = world.create("a", json!({ "colour": "red", "unknown": 1 })).await;
    assert_eq!(*field(&made, "/spec"), json!({ "colour": "red", "size": 3 }));
    assert_eq!(*field(&made, "/status"), json!({ "observed": -1 }));
    assert_eq!(made.metadata.generation, Some(1));
    assert!(made.metadata.uid.is_some() && made.metadata.creation_timestamp.is_some());
    assert_eq!(world.widgets.get("a").await.unwrap(), made);
    assert_eq!(refusal(world.try_create("a", json!({ "colour": "red" })).await).reason, "AlreadyExists");
}

#[tokio::test]
async fn an_invalid_object_is_refused_in_the_words_of_the_api_server() {
    let world = World::start().await;
    let status = refusal(world.try_create("a", json!({ "colour": "plaid" })).await);
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    assert_eq!(
        status.message,
        "Widget.example.dev \"a\" is invalid: spec: Invalid value: plaid is not a colour"
    );
    let causes = status.details.unwrap().causes;
    assert_eq!((causes[0].field.as_str(), causes[0].reason.as_str()), ("spec", "FieldValueInvalid"));
}

#[tokio::test]
async fn generation_counts_changes_of_spec_only_and_a_no_op_write_changes_nothing() {
    let world = World::start().await;
    let first = world.create("a", json!({ "colour": "red" })).await;
    let patch = async |patch: Value| {
        world.widgets.patch("a", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap()
    };
    let same = patch(json!({ "spec": { "size": 3 } })).await;
    assert_eq!(same.resource_version(), first.resource_version());
    let labelled = patch(json!({ "metadata": { "labels": { "a": "b" } } })).await;
    assert_eq!(labelled.metadata.generation, Some(1));
    assert_ne!(labelled.resource_version(), first.resource_version());
    let changed = patch(json!({ "spec": { "size": 4 }, "status": { "phase": "Done" } })).await;
    assert_eq!(changed.metadata.generation, Some(2));
    assert_eq!(*field(&changed, "/status"), json!({ "observed": -1 }), "status is ignored here");
}

#[tokio::test]
async fn a_status_write_changes_status_only_and_is_validated() {
    let world = World::start().await;
    let mut object = world.create("a", json!({ "colour": "red" })).await;
    object.data["spec"]["colour"] = json!("blue");
    object.data["status"] = json!({ "observed": 1, "phase": "Done" });
    object.metadata.labels = Some(BTreeMap::from([("a".into(), "b".into())]));
    let stale = object.clone();
    let written = world.widgets.replace_status("a", &PostParams::default(), &object).await.unwrap();
    assert_eq!(*field(&written, "/spec/colour"), json!("red"));
    assert_eq!(*field(&written, "/status/phase"), json!("Done"));
    assert_eq!((written.metadata.generation, written.metadata.labels.clone()), (Some(1), None));

    let conflict = refusal(world.widgets.replace_status("a", &PostParams::default(), &stale).await);
    assert_eq!((conflict.code, conflict.reason.as_str()), (409, "Conflict"));
    let bad = json!({ "status": { "phase": "Odd" } });
    let refused = world.widgets.patch_status("a", &PatchParams::default(), &Patch::Merge(bad)).await;
    assert_eq!(refusal(refused).code, 422);
}

#[tokio::test]
async fn a_write_with_an_old_version_or_another_uid_is_a_conflict() {
    let world = World::start().await;
    let old = world.create("a", json!({ "colour": "red" })).await;
    let patch = Patch::Merge(json!({ "spec": { "size": 9 } }));
    world.widgets.patch("a", &PatchParams::default(), &patch).await.unwrap();
    let status = refusal(world.widgets.replace("a", &PostParams::default(), &old).await);
    assert_eq!(
        status.message,
        "Operation cannot be fulfilled on widgets.example.dev \"a\": the object has been modified; please apply \
         your changes to the latest version and try again"
    );
    let other = Preconditions { uid: Some("other".into()), resource_version: None };
    let params = DeleteParams { preconditions: Some(other), ..DeleteParams::default() };
    assert_eq!(refusal(world.widgets.delete("a", &params).await).reason, "Conflict");
    let mut blind = old.clone();
    blind.metadata.resource_version = None;
    assert_eq!(refusal(world.widgets.replace("a", &PostParams::default(), &blind).await).code, 422);
}

#[tokio::test]
async fn json_patches_test_before_they_change() {
    let world = World::start().await;
    world.create("a", json!({ "colour": "red" })).await;
    let patch = |expected: &str| {
        let operations = json!([
            { "op": "test", "path": "/spec/colour", "value": expected },
            { "op": "replace", "path": "/spec/colour", "value": "blue" },
        ]);
        Patch::<DynamicObject>::Json(serde_json::from_value(operations).unwrap())
    };
    let params = PatchParams::default();
    assert_eq!(refusal(world.widgets.patch("a", &params, &patch("green")).await).code, 422);
    let patched = world.widgets.patch("a", &params, &patch("red")).await.unwrap();
    assert_eq!(*field(&patched, "/spec/colour"), json!("blue"));
}

#[tokio::test]
async fn strategic_merge_is_for_built_in_kinds() {
    let world = World::start().await;
    world.create("a", json!({ "colour": "red" })).await;
    let patch = Patch::Strategic(json!({ "metadata": { "finalizers": ["example.dev/two"] } }));
    assert_eq!(refusal(world.widgets.patch("a", &PatchParams::default(), &patch).await).code, 415);
    let mut held = secret("s", &[]);
    held.metadata.finalizers = Some(vec!["example.dev/one".into()]);
    world.secrets.create(&PostParams::default(), &held).await.unwrap();
    let patched = world.secrets.patch("s", &PatchParams::default(), &patch).await.unwrap();
    assert_eq!(patched.finalizers(), ["example.dev/one", "example.dev/two"]);
}

#[tokio::test]
async fn a_finalizer_holds_an_object_until_it_is_removed() {
    let world = World::start().await;
    let mut object = widget("a", json!({ "colour": "red" }));
    object.metadata.finalizers = Some(vec!["example.dev/hold".into()]);
    world.widgets.create(&PostParams::default(), &object).await.unwrap();
    let held = world.widgets.delete("a", &DeleteParams::default()).await.unwrap().left().unwrap();
    assert!(held.metadata.deletion_timestamp.is_some());
    assert_eq!(held.metadata.generation, Some(2));
    let add = Patch::Merge(json!({ "metadata": { "finalizers": ["example.dev/hold", "example.dev/late"] } }));
    assert_eq!(refusal(world.widgets.patch("a", &PatchParams::default(), &add).await).code, 422);
    let release = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    world.widgets.patch("a", &PatchParams::default(), &release).await.unwrap();
    assert_eq!(refusal(world.widgets.get("a").await).code, 404);
}

#[tokio::test]
async fn dependents_go_with_their_last_owner() {
    let world = World::start().await;
    let owners = [
        world.create("a", json!({ "colour": "red" })).await,
        world.create("b", json!({ "colour": "red" })).await,
    ];
    let mut owned = secret("owned", &[]);
    let reference = |owner: &DynamicObject| {
        serde_json::from_value(json!({
            "apiVersion": "example.dev/v1", "kind": "Widget", "name": owner.name_any(), "uid": owner.uid(),
        }))
        .unwrap()
    };
    owned.metadata.owner_references = Some(owners.iter().map(reference).collect());
    world.secrets.create(&PostParams::default(), &owned).await.unwrap();
    world.widgets.delete("a", &DeleteParams::default()).await.unwrap();
    assert_eq!(world.secrets.get("owned").await.unwrap().owner_references().len(), 1);
    world.widgets.delete("b", &DeleteParams::default()).await.unwrap();
    assert_eq!(refusal(world.secrets.get("owned").await).code, 404);
}

#[tokio::test]
async fn orphaned_dependents_stay() {
    let world = World::start().await;
    let owner = world.create("a", json!({ "colour": "red" })).await;
    let mut owned = secret("owned", &[]);
    owned.metadata.owner_references = Some(vec![
        serde_json::from_value(json!({
            "apiVersion": "example.dev/v1", "kind": "Widget", "name": "a", "uid": owner.uid(),
        }))
        .unwrap(),
    ]);
    world.secrets.create(&PostParams::default(), &owned).await.unwrap();
    let params =
        DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..DeleteParams::default() };
    world.widgets.delete("a", &params).await.unwrap();
    assert_eq!(refusal(world.widgets.get("a").await).code, 404);
    assert!(world.secrets.get("owned").await.unwrap().owner_references().is_empty());
}

#[tokio::test]
async fn a_namespace_takes_its_contents_along_and_takes_nothing_while_it_ends() {
    let world = World::start().await;
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    let inside: Api<Secret> = Api::namespaced(world.client.clone(), "shop");
    assert_eq!(refusal(inside.create(&PostParams::default(), &secret("s", &[])).await).code, 404);
    let shop = Namespace {
        metadata: ObjectMeta { name: Some("shop".into()), ..ObjectMeta::default() },
        ..Namespace::default()
    };
    namespaces.create(&PostParams::default(), &shop).await.unwrap();
    let mut held = secret("held", &[]);
    held.metadata.finalizers = Some(vec!["example.dev/hold".into()]);
    for object in [secret("s", &[]), held] {
        inside.create(&PostParams::default(), &object).await.unwrap();
    }
    let ending = namespaces.delete("shop", &DeleteParams::default()).await.unwrap().left().unwrap();
    assert_eq!(ending.status.unwrap().phase.as_deref(), Some("Terminating"));
    let status = refusal(inside.create(&PostParams::default(), &secret("late", &[])).await);
    assert_eq!(
        (status.code, status.details.unwrap().causes[0].reason.as_str()),
        (403, "NamespaceTerminating")
    );
    assert_eq!(inside.list(&ListParams::default()).await.unwrap().items.len(), 1);
    let release = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    inside.patch("held", &PatchParams::default(), &release).await.unwrap();
    assert_eq!(refusal(namespaces.get("shop").await).code, 404);
}

#[tokio::test]
async fn lists_are_paged_without_loss_and_selected_by_labels_and_fields() {
    let world = World::start().await;
    for index in 0..7 {
        let mut object =
            widget(&format!("w{index}"), json!({ "colour": if index < 3 { "red" } else { "blue" } }));
        object.metadata.labels = Some(BTreeMap::from([("index".into(), index.to_string())]));
        world.widgets.create(&PostParams::default(), &object).await.unwrap();
    }
    let mut names = Vec::new();
    let mut params = ListParams::default().limit(3);
    loop {
        let page = world.widgets.list(&params).await.unwrap();
        names.extend(page.items.iter().map(ResourceExt::name_any));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    assert_eq!(names, ["w0", "w1", "w2", "w3", "w4", "w5", "w6"]);
    let count = async |params: ListParams| world.widgets.list(&params).await.map(|list| list.items.len());
    assert_eq!(count(ListParams::default().fields("spec.colour=red")).await.unwrap(), 3);
    assert_eq!(count(ListParams::default().fields("spec.colour!=red,metadata.name!=w6")).await.unwrap(), 3);
    assert_eq!(count(ListParams::default().labels("index in (1, 2)")).await.unwrap(), 2);
    assert_eq!(refusal(count(ListParams::default().fields("spec.size=3")).await).code, 400);
}

#[tokio::test]
async fn a_watch_resumes_and_tells_how_objects_enter_and_leave_its_selection() {
    let world = World::start().await;
    let start = world.widgets.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let params = WatchParams::default().fields("spec.colour=red");
    world.create("a", json!({ "colour": "blue" })).await;
    let mut events = world.widgets.watch(&params, &start).await.unwrap().boxed();
    let paint = async |colour: &str| {
        let patch = Patch::Merge(json!({ "spec": { "colour": colour } }));
        world.widgets.patch("a", &PatchParams::default(), &patch).await.unwrap()
    };
    paint("red").await;
    assert!(matches!(next(&mut events).await.unwrap(), WatchEvent::Added(_)));
    world
        .widgets
        .patch("a", &PatchParams::default(), &Patch::Merge(json!({ "spec": { "size": 9 } })))
        .await
        .unwrap();
    assert!(matches!(next(&mut events).await.unwrap(), WatchEvent::Modified(_)));
    let left = paint("green").await;
    let WatchEvent::Deleted(gone) = next(&mut events).await.unwrap() else { panic!("not deleted") };
    assert_eq!(*field(&gone, "/spec/colour"), json!("red"));
    assert_eq!(gone.resource_version(), left.resource_version());
}

#[tokio::test]
async fn a_watch_from_a_forgotten_version_is_told_so() {
    let world = World::start().await;
    world.create("a", json!({ "colour": "red" })).await;
    world.server.compact();
    let mut events = world.widgets.watch(&WatchParams::default(), "1").await.unwrap().boxed();
    let WatchEvent::Error(status) = next(&mut events).await.unwrap() else { panic!("not an error") };
    assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_watch_with_a_time_limit_ends_with_a_bookmark() {
    let world = World::start().await;
    let made = world.create("a", json!({ "colour": "red" })).await;
    let version = made.resource_version().unwrap();
    let events = world.widgets.watch(&WatchParams::default().timeout(1), &version).await.unwrap();
    let events: Vec<_> = events.try_collect().await.unwrap();
    let [WatchEvent::Bookmark(bookmark)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(bookmark.metadata.resource_version, version);
}

#[tokio::test]
async fn kubes_watcher_follows_by_list_and_by_streaming_list() {
    let world = World::start().await;
    world.create("a", json!({ "colour": "red" })).await;
    for config in [watcher::Config::default(), watcher::Config::default().streaming_lists()] {
        let mut objects = watcher(world.widgets.clone(), config).applied_objects().boxed();
        assert_eq!(next(&mut objects).await.unwrap().name_any(), "a");
        let name = format!("b-{}", uuid());
        world.create(&name, json!({ "colour": "red" })).await;
        let mut seen = next(&mut objects).await.unwrap().name_any();
        while seen != name {
            seen = next(&mut objects).await.unwrap().name_any();
        }
    }
}

fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

#[tokio::test]
async fn metadata_requests_carry_no_contents() {
    let world = World::start().await;
    world.secrets.create(&PostParams::default(), &secret("s", &[("key", "hidden")])).await.unwrap();
    let metadata: Api<PartialObjectMeta<Secret>> = Api::default_namespaced(world.client.clone());
    let list = metadata.list(&ListParams::default()).await.unwrap();
    assert_eq!(list.items[0].name_any(), "s");
    let mut events = metadata.watch(&WatchParams::default(), "0").await.unwrap().boxed();
    assert!(
        matches!(next(&mut events).await.unwrap(), WatchEvent::Added(object) if object.name_any() == "s")
    );
    let accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    let request = http::Request::get("/api/v1/namespaces/default/secrets/s").header("accept", accept);
    let body = world.raw(request, "").await.unwrap();
    assert_eq!((body["kind"].as_str(), body.get("data")), (Some("PartialObjectMetadata"), None));
}

#[tokio::test]
async fn a_secret_folds_string_data_keeps_its_type_and_checks_tls() {
    let world = World::start().await;
    let made = world.secrets.create(&PostParams::default(), &secret("s", &[("key", "value")])).await.unwrap();
    assert_eq!(made.data.unwrap()["key"].0, b"value");
    assert_eq!((made.string_data, made.type_.as_deref()), (None, Some("Opaque")));
    let change = Patch::Merge(json!({ "type": "example.dev/other" }));
    let status = refusal(world.secrets.patch("s", &PatchParams::default(), &change).await);
    assert_eq!(
        status.message,
        "Secret \"s\" is invalid: type: Invalid value: \"example.dev/other\": field is immutable"
    );
    let tls = Secret { type_: Some("kubernetes.io/tls".into()), ..secret("tls", &[("tls.crt", "x")]) };
    let status = refusal(world.secrets.create(&PostParams::default(), &tls).await);
    assert_eq!(status.message, "Secret \"tls\" is invalid: data[tls.key]: Required value");
    let name = refusal(world.secrets.create(&PostParams::default(), &secret("Bad_Name", &[])).await);
    assert_eq!(name.code, 422);
}

#[tokio::test]
async fn unknown_fields_are_warned_about_or_refused_as_asked() {
    let world = World::start().await;
    let strict = PostParams { field_manager: None, ..PostParams::default() };
    let body = widget("a", json!({ "colour": "red", "foo": 1 }));
    let params =
        PatchParams { field_validation: Some(ValidationDirective::Strict), ..PatchParams::default() };
    world.widgets.create(&strict, &body).await.unwrap();
    let patch = Patch::Merge(json!({ "spec": { "foo": 2 } }));
    let status = refusal(world.widgets.patch("a", &params, &patch).await);
    assert_eq!(status.code, 400);
    assert!(
        status.message.ends_with("strict decoding error: unknown field \"spec.foo\""),
        "{}",
        status.message
    );
}

#[tokio::test]
async fn a_dry_run_is_admitted_and_leaves_nothing() {
    let world = World::start().await;
    let params = PostParams { dry_run: true, ..PostParams::default() };
    let shown = world.widgets.create(&params, &widget("a", json!({ "colour": "red" }))).await.unwrap();
    assert_eq!(*field(&shown, "/spec/size"), json!(3));
    assert_eq!(
        refusal(world.widgets.create(&params, &widget("b", json!({ "colour": "plaid" }))).await).code,
        422
    );
    assert!(world.widgets.list(&ListParams::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn events_of_both_groups_are_one() {
    let world = World::start().await;
    let object = world.create("a", json!({ "colour": "red" })).await;
    let recorder = Recorder::new(world.client.clone(), "sim-test".into());
    let event = kube::runtime::events::Event {
        type_: EventType::Normal,
        reason: "Painted".into(),
        note: Some("now red".into()),
        action: "Paint".into(),
        secondary: None,
    };
    let reference = k8s_openapi::api::core::v1::ObjectReference {
        api_version: Some("example.dev/v1".into()),
        kind: Some("Widget".into()),
        name: Some("a".into()),
        namespace: Some("default".into()),
        uid: object.uid(),
        ..Default::default()
    };
    recorder.publish(&event, &reference).await.unwrap();
    recorder.publish(&event, &reference).await.unwrap();
    let events: Api<Event> = Api::default_namespaced(world.client.clone());
    let about = ListParams::default().fields("involvedObject.kind=Widget,involvedObject.name=a");
    let found = events.list(&about).await.unwrap().items;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message.as_deref(), Some("now red"));
    assert_eq!(found[0].series.as_ref().unwrap().count, Some(2));
}

#[tokio::test]
async fn a_definition_serves_its_kind_at_once_and_takes_it_away_with_itself() {
    let world = World::start().await;
    let definitions: Api<CustomResourceDefinition> = Api::all(world.client.clone());
    let found = definitions.get("widgets.example.dev").await.unwrap();
    let conditions = found.status.unwrap().conditions.unwrap();
    assert!(
        conditions.iter().any(|condition| condition.type_ == "Established" && condition.status == "True")
    );
    let discovered =
        kube::discovery::pinned_kind(&world.client, &GroupVersionKind::gvk("example.dev", "v1", "Widget"))
            .await;
    assert_eq!(discovered.unwrap().0.plural, "widgets");
    world.create("a", json!({ "colour": "red" })).await;
    definitions.delete("widgets.example.dev", &DeleteParams::default()).await.unwrap();
    assert_eq!(refusal(world.widgets.list(&ListParams::default()).await).code, 404);
    let mut broken = definition();
    broken["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["x-kubernetes-validations"]
        [0]["rule"] = json!("self.colour ==");
    let broken: CustomResourceDefinition = serde_json::from_value(broken).unwrap();
    assert_eq!(refusal(definitions.create(&PostParams::default(), &broken).await).code, 422);
}

#[tokio::test]
async fn tables_have_the_columns_of_the_kind() {
    let world = World::start().await;
    world.create("a", json!({ "colour": "red" })).await;
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    let request =
        http::Request::get("/apis/example.dev/v1/namespaces/default/widgets").header("accept", accept);
    let table = world.raw(request, "").await.unwrap();
    assert_eq!(table["kind"], "Table");
    assert_eq!(table["columnDefinitions"][1]["name"], "Colour");
    assert_eq!(table["rows"][0]["cells"], json!(["a", "red"]));
}

#[tokio::test]
async fn what_the_server_does_not_know_is_refused_with_a_status() {
    let world = World::start().await;
    let code =
        async |request: http::request::Builder, body: &str| refusal(world.raw(request, body).await).code;
    assert_eq!(code(http::Request::get("/api/v1/namespaces/default/pods"), "").await, 404);
    assert_eq!(code(http::Request::get("/nowhere"), "").await, 404);
    assert_eq!(code(http::Request::put("/api/v1/namespaces/default/secrets"), "{}").await, 405);
    let typed =
        |media| http::Request::post("/api/v1/namespaces/default/secrets").header("content-type", media);
    assert_eq!(code(typed("application/vnd.kubernetes.protobuf"), "").await, 415);
    assert_eq!(code(typed("application/json"), "{").await, 400);
    let picky = http::Request::get("/api/v1/secrets").header("accept", "application/vnd.kubernetes.protobuf");
    assert_eq!(code(picky, "").await, 406);
}

#[tokio::test]
async fn leases_and_config_maps_obey_their_rules() {
    let world = World::start().await;
    let leases: Api<Lease> = Api::default_namespaced(world.client.clone());
    let lease = json!({ "metadata": { "name": "l" }, "spec": { "leaseDurationSeconds": 0 } });
    let refused = leases.create(&PostParams::default(), &serde_json::from_value(lease).unwrap()).await;
    assert_eq!(refusal(refused).code, 422);
    let maps: Api<ConfigMap> = Api::default_namespaced(world.client.clone());
    let frozen = json!({ "metadata": { "generateName": "m-" }, "data": { "a": "b" }, "immutable": true });
    let made = maps.create(&PostParams::default(), &serde_json::from_value(frozen).unwrap()).await.unwrap();
    let name = made.name_any();
    assert!(name.starts_with("m-") && name.len() == 7, "{name}");
    let change = Patch::Merge(json!({ "data": { "a": "c" } }));
    assert_eq!(refusal(maps.patch(&name, &PatchParams::default(), &change).await).code, 422);
}
