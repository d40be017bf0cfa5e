//! Create, update, patch and status.

use super::*;

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
