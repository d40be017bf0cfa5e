//! Server-side apply.

use super::*;

fn applied(name: &str, spec: Value) -> Patch<DynamicObject> {
    Patch::Apply(widget(name, spec))
}

#[tokio::test]
async fn an_apply_creates_owns_and_takes_back_what_it_no_longer_names() {
    let world = World::start().await;
    let params = PatchParams::apply("one");
    let patch = async |spec: Value| world.widgets.patch("a", &params, &applied("a", spec)).await.unwrap();
    let made = patch(json!({ "colour": "red", "size": 5 })).await;
    assert_eq!(made.metadata.generation, Some(1));
    let entries = made.metadata.managed_fields.clone().unwrap();
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!((entry.manager.as_deref(), entry.operation.as_deref()), (Some("one"), Some("Apply")));
    assert_eq!(entry.fields_v1.as_ref().unwrap().0, json!({ "f:spec": { "f:colour": {}, "f:size": {} } }));
    let again = patch(json!({ "colour": "red", "size": 5 })).await;
    assert_eq!(again.resource_version(), made.resource_version(), "nothing changed");
    let less = patch(json!({ "colour": "red" })).await;
    assert_eq!(*field(&less, "/spec/size"), json!(3), "removed, then defaulted");
}

#[tokio::test]
async fn an_apply_conflicts_with_other_managers_unless_forced() {
    let world = World::start().await;
    let one = PatchParams::apply("one");
    world.widgets.patch("a", &one, &applied("a", json!({ "colour": "red" }))).await.unwrap();
    let edit = PatchParams { field_manager: Some("editor".into()), ..PatchParams::default() };
    let blue = Patch::Merge(json!({ "spec": { "colour": "blue" } }));
    world.widgets.patch("a", &edit, &blue).await.unwrap();
    let status = refusal(world.widgets.patch("a", &one, &applied("a", json!({ "colour": "red" }))).await);
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    assert!(
        status
            .message
            .starts_with("Apply failed with 1 conflict: conflict with \"editor\" using example.dev/v1"),
        "{}",
        status.message
    );
    assert_eq!(status.details.unwrap().causes[0].field, ".spec.colour");
    let forced =
        world.widgets.patch("a", &one.force(), &applied("a", json!({ "colour": "red" }))).await.unwrap();
    assert_eq!(*field(&forced, "/spec/colour"), json!("red"));
    let managers: Vec<_> =
        forced.metadata.managed_fields.unwrap().into_iter().filter_map(|e| e.manager).collect();
    assert_eq!(managers, ["one"]);
}

#[tokio::test]
async fn an_apply_to_status_leaves_the_rest_and_may_demand_a_version() {
    let world = World::start().await;
    let made = world.create("a", json!({ "colour": "red" })).await;
    let mut config = widget("a", json!({ "colour": "blue" }));
    config.data["status"] = json!({ "phase": "Done" });
    config.metadata.resource_version = made.resource_version();
    let params = PatchParams::apply("one");
    let written = world.widgets.patch_status("a", &params, &Patch::Apply(&config)).await.unwrap();
    assert_eq!(
        written.data,
        json!({ "spec": { "colour": "red", "size": 3 }, "status": { "observed": -1, "phase": "Done" } })
    );
    config.data["status"] = json!({ "phase": "New" });
    let stale = world.widgets.patch_status("a", &params.force(), &Patch::Apply(&config)).await;
    assert_eq!(refusal(stale).code, 409);
}
