//! Finalizers, owners and namespaces.

use super::*;

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
    let mut child = secret("child", &[]);
    let reference = |owner: &DynamicObject| {
        serde_json::from_value(json!({
            "apiVersion": "example.dev/v1", "kind": "Widget", "name": owner.name_any(), "uid": owner.uid(),
        }))
        .unwrap()
    };
    child.metadata.owner_references = Some(owners.iter().map(reference).collect());
    world.secrets.create(&PostParams::default(), &child).await.unwrap();
    world.widgets.delete("a", &DeleteParams::default()).await.unwrap();
    assert_eq!(world.secrets.get("child").await.unwrap().owner_references().len(), 1);
    world.widgets.delete("b", &DeleteParams::default()).await.unwrap();
    assert_eq!(refusal(world.secrets.get("child").await).code, 404);
}

#[tokio::test]
async fn orphaned_dependents_stay() {
    let world = World::start().await;
    let owner = world.create("a", json!({ "colour": "red" })).await;
    let mut child = secret("child", &[]);
    child.metadata.owner_references = Some(vec![
        serde_json::from_value(json!({
            "apiVersion": "example.dev/v1", "kind": "Widget", "name": "a", "uid": owner.uid(),
        }))
        .unwrap(),
    ]);
    world.secrets.create(&PostParams::default(), &child).await.unwrap();
    let params =
        DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..DeleteParams::default() };
    world.widgets.delete("a", &params).await.unwrap();
    assert_eq!(refusal(world.widgets.get("a").await).code, 404);
    assert!(world.secrets.get("child").await.unwrap().owner_references().is_empty());
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
async fn the_write_that_takes_off_the_last_finalizer_is_seen_as_the_deletion() {
    let world = World::start().await;
    let mut object = widget("a", json!({ "colour": "red" }));
    object.metadata.finalizers = Some(vec!["example.dev/hold".into()]);
    world.widgets.create(&PostParams::default(), &object).await.unwrap();
    let held = world.widgets.delete("a", &DeleteParams::default()).await.unwrap().left().unwrap();
    let mut events = world
        .widgets
        .watch(&WatchParams::default(), &held.resource_version().unwrap())
        .await
        .unwrap()
        .boxed();
    let release = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    let released = world.widgets.patch("a", &PatchParams::default(), &release).await.unwrap();
    assert!(released.finalizers().is_empty());
    let WatchEvent::Deleted(gone) = next(&mut events).await.unwrap() else { panic!("not deleted") };
    assert_eq!(gone.finalizers(), ["example.dev/hold"], "the last state that was stored");
}

#[tokio::test]
async fn a_foreground_deletion_waits_for_the_dependents_that_block_it() {
    let world = World::start().await;
    let owner = world.create("a", json!({ "colour": "red" })).await;
    let mut child = secret("child", &[]);
    child.metadata.finalizers = Some(vec!["example.dev/hold".into()]);
    let reference = json!({
        "apiVersion": "example.dev/v1", "kind": "Widget", "name": "a", "uid": owner.uid(),
        "blockOwnerDeletion": true,
    });
    child.metadata.owner_references = Some(vec![serde_json::from_value(reference).unwrap()]);
    world.secrets.create(&PostParams::default(), &child).await.unwrap();
    world.widgets.delete("a", &DeleteParams::foreground()).await.unwrap();
    assert_eq!(world.widgets.get("a").await.unwrap().finalizers(), ["foregroundDeletion"]);
    let release = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    world.secrets.patch("child", &PatchParams::default(), &release).await.unwrap();
    assert_eq!(refusal(world.widgets.get("a").await).code, 404);
}
