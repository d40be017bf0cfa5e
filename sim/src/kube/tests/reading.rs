//! Lists, watches, and the forms of replies.

use super::*;

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
    assert_eq!(code(typed("application/cbor"), "").await, 415);
    assert_eq!(code(typed("application/json"), "{").await, 400);
    let picky = http::Request::get("/api/v1/secrets").header("accept", "application/vnd.kubernetes.protobuf");
    assert_eq!(code(picky, "").await, 406);
}

fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

#[tokio::test]
async fn dropping_the_server_ends_open_watches() {
    let world = World::start().await;
    let mut events = world.widgets.watch(&WatchParams::default(), "0").await.unwrap().boxed();
    let World { server, widgets, .. } = world;
    drop(server);
    let end = tokio::time::timeout(Duration::from_secs(5), events.next()).await.unwrap();
    assert!(!matches!(end, Some(Ok(_))), "{end:?}");
    drop(widgets);
}

#[tokio::test]
async fn the_kubeconfig_leads_to_the_server() {
    let world = World::start().await;
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&world.server.kubeconfig()).unwrap();
    let config =
        Config::from_custom_kubeconfig(kubeconfig, &kube::config::KubeConfigOptions::default()).await;
    let client = Client::try_from(config.unwrap()).unwrap();
    let namespaces = Api::<Namespace>::all(client.clone()).list(&ListParams::default()).await.unwrap();
    assert_eq!(client.default_namespace(), "default");
    assert_eq!(namespaces.items.len(), 4);
}
