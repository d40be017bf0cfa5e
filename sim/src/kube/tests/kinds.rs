//! The rules of single kinds.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;

use super::*;

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

#[tokio::test]
async fn what_an_installation_is_made_of_is_stored_and_its_fixed_parts_stay() {
    let world = World::start().await;
    let deployments: Api<Deployment> = Api::default_namespaced(world.client.clone());
    let with_label = |label: &str| {
        let template = json!({ "metadata": { "labels": { "app": label } },
            "spec": { "containers": [{ "name": "a", "image": "a:1" }] } });
        let spec = json!({ "selector": { "matchLabels": { "app": "a" } }, "template": template });
        serde_json::from_value::<Deployment>(json!({ "metadata": { "name": "d" }, "spec": spec })).unwrap()
    };
    let params = PostParams::default();
    let status = refusal(deployments.create(&params, &with_label("b")).await);
    assert!(status.message.contains("does not match template `labels`"), "{}", status.message);
    let made = deployments.create(&params, &with_label("a")).await.unwrap();
    assert_eq!(made.metadata.generation, Some(1));
    let image =
        json!({ "spec": { "template": { "spec": { "containers": [{ "name": "a", "image": "a:2" }] } } } });
    let patched = deployments.patch("d", &PatchParams::default(), &Patch::Strategic(image)).await.unwrap();
    assert_eq!(patched.metadata.generation, Some(2));
    let role = json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view" });
    let binding = json!({ "metadata": { "name": "b" }, "roleRef": role, "subjects": [] });
    let bindings: Api<ClusterRoleBinding> = Api::all(world.client.clone());
    bindings.create(&params, &serde_json::from_value(binding).unwrap()).await.unwrap();
    let other = Patch::Merge(json!({ "roleRef": { "name": "cluster-admin" } }));
    let status = refusal(bindings.patch("b", &PatchParams::default(), &other).await);
    assert!(status.message.contains("cannot change roleRef"), "{}", status.message);
}
