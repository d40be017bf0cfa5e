//! By a server that answers with what stands in the tests.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body as Sent;
use axum::http::StatusCode;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::core::PartialObjectMeta;
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use super::*;
use crate::api::v1alpha1::CertificateOrder;
use crate::cluster::error::explain;
use crate::core::annotations::{FINALIZER, RECONCILE_AT};

/// A client of a server that answers every request with this text, in small pieces.
fn server(text: impl Into<Vec<u8>>) -> Client {
    let text = Arc::new(text.into());
    let answer = async move || {
        let pieces: Vec<_> = text.chunks(1000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
        Sent::from_stream(stream::iter(pieces))
    };
    client(&Client::new(Router::new().fallback(answer), "default"))
}

fn list(items: &[Value]) -> String {
    json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": items})
        .to_string()
}

fn events(objects: &[Value]) -> String {
    objects.iter().map(|object| json!({"type": "MODIFIED", "object": object}).to_string() + "\n").collect()
}

fn object(metadata: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder",
        "metadata": {"namespace": "shop", "name": "www", "uid": "u1", "resourceVersion": "7", "generation": 2,
                     "creationTimestamp": "2026-11-28T04:00:00Z"},
        "spec": {"provider": {"tencentCloud": {"certificateId": "J2lX2maH"}},
                 "credentialsRef": {"name": "cloud"}, "commonName": "www.acme.example"},
    });
    object["metadata"].as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
    object
}

/// The order as a list, a watch and a single answer show it.
async fn shown(order: &Value) -> [CertificateOrder; 3] {
    let api = |text: String| Api::<CertificateOrder>::namespaced(server(text), "shop");
    let listed =
        api(list(std::slice::from_ref(order))).list(&ListParams::default()).await.unwrap().items.remove(0);
    let watched = api(events(std::slice::from_ref(order))).watch(&WatchParams::default(), "7").await.unwrap();
    let watched = std::pin::pin!(watched).try_next().await.unwrap().unwrap();
    let WatchEvent::Modified(watched) = watched else { panic!("{watched:?}") };
    [listed, watched, api(order.to_string()).get("www").await.unwrap()]
}

fn length(object: &CertificateOrder) -> usize {
    serde_json::to_string(object).unwrap().len()
}

#[tokio::test]
async fn of_an_order_its_spec_and_what_is_read_of_its_metadata_is_kept() {
    let order = object(&json!({
        "labels": {"team": "web", "certorder.dev/renewal": "www"},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", RECONCILE_AT: "now",
                        "certorder.dev/partial": "a user wrote it"},
        "finalizers": ["acme.example/theirs", FINALIZER],
        "ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "u2"},
            {"apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder", "name": "b", "uid": "u3", "controller": true},
        ],
        "managedFields": [
            {"manager": "a", "operation": "Update", "time": "2026-11-28T05:00:00Z", "fieldsV1": {"f:spec": {}}},
            {"manager": "b", "operation": "Update", "time": "2026-11-28T06:00:00Z"},
        ],
    }));
    let whole: CertificateOrder = serde_json::from_value(order.clone()).unwrap();
    for (seen, is_single) in shown(&order).await.into_iter().zip([false, false, true]) {
        assert_eq!(seen.spec, whole.spec);
        assert_eq!(
            (seen.uid(), seen.resource_version(), seen.metadata.generation),
            (Some("u1".into()), Some("7".into()), Some(2))
        );
        assert_eq!(seen.metadata.creation_timestamp, whole.metadata.creation_timestamp);
        assert_eq!(seen.labels().keys().collect::<Vec<_>>(), ["certorder.dev/renewal"]);
        assert_eq!(seen.annotations().keys().collect::<Vec<_>>(), [RECONCILE_AT]);
        assert_eq!(seen.finalizers(), ["acme.example/theirs", FINALIZER]);
        assert_eq!(seen.owner_references().iter().map(|owner| &*owner.name).collect::<Vec<_>>(), ["b"]);
        assert!(!is_partial(&seen) && !lacks_finalizers(&seen));
        // The time of a change is read in watches; what is read to be written again must not carry any.
        let times: Vec<_> =
            seen.managed_fields().iter().map(|entry| entry.time.as_ref().unwrap().0.to_string()).collect();
        assert_eq!(times, if is_single { vec![] } else { vec!["2026-11-28T06:00:00Z"] });
    }
}

#[tokio::test]
async fn of_the_largest_order_little_is_kept_in_a_list() {
    let many =
        |count: usize, each: &dyn Fn(usize) -> (String, Value)| Value::Object((0..count).map(each).collect());
    let texts =
        many(800, &|number| (format!("certorder.dev/{number}-{}", "k".repeat(300)), json!("v".repeat(300))));
    let finalizers: Vec<_> =
        (0..2000).map(|number| format!("acme.example/{number}-{}", "f".repeat(300))).collect();
    let mut order = object(&json!({
        "labels": texts, "annotations": texts, "finalizers": finalizers,
        "managedFields": [{"manager": "a", "operation": "Update", "fieldsV1": texts}],
    }));
    order["metadata"]["finalizers"][77] = json!(FINALIZER);
    let names: Vec<_> = (0..100).map(|number| format!("{number}.{}.example", "n".repeat(60))).collect();
    let text = "c".repeat(16_000);
    order["spec"]["dnsNames"] = json!(names);
    order["spec"]["csr"] = json!(text);
    let template = many(64, &|number| (format!("{number}"), json!("v".repeat(4096))));
    order["spec"]["secretTemplate"] = json!({"annotations": template});
    order["status"] = json!({
        "observedGeneration": 2, "requestId": "r1",
        "plan": {"action": "A", "next": "", "request": {"csr": text}},
        "conditions": [{"type": "Ready", "status": "True", "reason": "Issued", "message": "m".repeat(4000),
                        "lastTransitionTime": "2026-11-28T04:00:00Z"}],
    });
    let [listed, watched, single] = shown(&order).await;
    for seen in [listed, watched] {
        assert!(is_partial(&seen) && lacks_finalizers(&seen));
        assert!(length(&seen) < 16 * 1024, "{}", length(&seen));
        assert_eq!(seen.finalizers(), [FINALIZER]);
        assert!(seen.spec.csr.is_some(), "that there is one is read of other orders");
        let status = seen.status.unwrap();
        assert_eq!((status.observed_generation, status.request_id.as_deref()), (2, Some("r1")));
        assert_eq!(status.conditions[0].reason, "Issued");
    }
    let whole: CertificateOrder = serde_json::from_value(order).unwrap();
    assert_eq!((&single.spec, &single.status), (&whole.spec, &whole.status));
    assert!(lacks_finalizers(&single) && !is_partial(&single));
}

/// Metadata that the API server stores and the client library cannot parse.
fn unreadable() -> [Value; 2] {
    let nested = (0..300).fold(json!({}), |inner, _| json!({"f:a": inner}));
    let entry = |time: &str, fields: &Value| {
        json!({"managedFields": [
            {"manager": "m", "operation": "Update", "apiVersion": "v1", "time": "2026-11-28T06:00:00Z", "fieldsType": "FieldsV1",
             "fieldsV1": {"f:data": {}}},
            {"manager": "bad", "operation": "Update", "apiVersion": "v1", "time": time, "fieldsType": "FieldsV1", "fieldsV1": fields},
        ]})
    };
    [entry("10000-01-01T00:59:59Z", &json!({"f:data": {}})), entry("2026-11-28T05:00:00Z", &nested)]
}

#[tokio::test]
async fn metadata_that_the_client_library_cannot_parse_hide_no_object() {
    for metadata in unreadable() {
        let bad = object(&metadata);
        assert!(
            serde_json::from_str::<CertificateOrder>(&bad.to_string()).is_err(),
            "else this tests nothing"
        );
        for seen in shown(&bad).await {
            assert_eq!(seen.name_any(), "www");
        }
        let of = |version: &str, kind: &str, metadata: &Value| {
            let mut other = object(metadata);
            (other["apiVersion"], other["kind"]) = (json!(version), json!(kind));
            other.as_object_mut().unwrap().remove("spec");
            other
        };
        let metadata_of = |name| of("meta.k8s.io/v1", "PartialObjectMetadata", name);
        let both = list(&[metadata_of(&metadata), metadata_of(&json!({"name": "good"}))]);
        let secrets: Api<PartialObjectMeta<Secret>> = Api::namespaced(server(both), "shop");
        let listed = secrets.list_metadata(&ListParams::default()).await.unwrap().items;
        assert_eq!(listed.iter().map(ResourceExt::name_any).collect::<Vec<_>>(), ["www", "good"]);
        let lease = of("coordination.k8s.io/v1", "Lease", &metadata);
        let leases: Api<Lease> = Api::namespaced(server(list(&[lease])), "claims");
        assert_eq!(leases.list(&ListParams::default()).await.unwrap().items.len(), 1);
        let mut secret = of("v1", "Secret", &metadata);
        secret["data"] = json!({"tls.crt": "YQ=="});
        let secrets: Api<Secret> = Api::namespaced(server(secret.to_string()), "shop");
        let single = secrets.get("www").await.unwrap();
        assert_eq!(single.data.as_ref().unwrap().len(), 1);
        assert_eq!(single.managed_fields()[0].manager.as_deref(), Some("m"), "who else wrote it is read");
    }
}

#[tokio::test]
async fn a_secret_that_can_be_read_stays_as_it_is() {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": {"a": "YQ=="},
        "metadata": {"name": "www", "namespace": "shop", "labels": {"team": "a"}, "annotations": {"b": "c"},
                     "managedFields": unreadable()[0]["managedFields"].as_array().unwrap()[..1]},
    });
    let api: Api<Secret> = Api::namespaced(server(secret.to_string()), "shop");
    assert_eq!(serde_json::to_value(api.get("www").await.unwrap()).unwrap(), secret);
}

#[tokio::test]
async fn an_answer_that_is_none_is_an_error_that_says_so() {
    for text in ["<html>", "{}", r#"{"items": [3]}"#] {
        let api: Api<CertificateOrder> = Api::all(server(text));
        let error = api.list(&ListParams::default()).await.unwrap_err();
        let text = explain(&error);
        assert!(text.contains("something else than the list"), "{text}");
    }
    let api: Api<CertificateOrder> = Api::all(server("<html>\n"));
    let watched = api.watch(&WatchParams::default(), "7").await.unwrap();
    let error = std::pin::pin!(watched).try_next().await.unwrap_err();
    let text = explain(&error);
    assert!(text.contains("something else than the events"), "{text}");
    let api: Api<CertificateOrder> = Api::namespaced(server("x".repeat(4 * 1024 * 1024)), "shop");
    let text = explain(&api.get("www").await.unwrap_err());
    assert!(text.contains("more than 3 MiB"), "{text}");
}

#[tokio::test]
async fn events_come_while_the_watch_goes_on_and_bookmarks_stay() {
    let bookmark = json!({"type": "BOOKMARK", "object": {
        "apiVersion": "certorder.dev/v1alpha1", "kind": "CertificateOrder",
        "metadata": {"resourceVersion": "9", "creationTimestamp": null, "annotations": {"k8s.io/initial-events-end": "true"}},
    }});
    let text = events(&[object(&json!({}))]) + &bookmark.to_string() + "\n";
    let answer = async move || {
        let begun = stream::once(async move { Ok::<_, std::io::Error>(text) });
        Sent::from_stream(begun.chain(stream::pending()))
    };
    let api: Api<CertificateOrder> =
        Api::all(client(&Client::new(Router::new().fallback(answer), "default")));
    let mut watched = api.watch(&WatchParams::default(), "7").await.unwrap().boxed();
    assert!(matches!(watched.try_next().await.unwrap(), Some(WatchEvent::Modified(_))));
    assert!(matches!(watched.try_next().await.unwrap(), Some(WatchEvent::Bookmark(_))));
}

#[tokio::test]
async fn a_refusal_stays_as_it_is() {
    let refuse = async || {
        (StatusCode::FORBIDDEN, r#"{"kind":"Status","message":"no","reason":"Forbidden","code":403}"#)
    };
    let api: Api<CertificateOrder> =
        Api::all(client(&Client::new(Router::new().fallback(refuse), "default")));
    let error = api.list(&ListParams::default()).await.unwrap_err();
    assert!(matches!(&error, kube::Error::Api(status) if status.code == 403), "{error}");
}

#[test]
fn each_request_is_answered_with_what_it_is_about() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let shape_of = |method: &str, path: &str, accept: &str| {
        let request =
            Request::builder().method(method).uri(path).header(header::ACCEPT, accept).body(()).unwrap();
        asked.lock().unwrap().push(path.to_owned());
        shape(&request)
    };
    let json = "application/json";
    let ours = "/apis/certorder.dev/v1alpha1";
    let metadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    for (method, path, accept, wanted) in [
        ("GET", format!("{ours}/certificateorders?limit=500"), json, Shape::List(Kept::Order)),
        ("GET", format!("{ours}/namespaces/shop/certificateorders?"), json, Shape::List(Kept::Order)),
        ("GET", format!("{ours}/certificateorders?watch=true&a=b"), json, Shape::Events(Kept::Order)),
        ("GET", format!("{ours}/organizationprofiles"), json, Shape::List(Kept::Listed)),
        ("GET", format!("{ours}/namespaces/shop/certificateorders/www"), json, Shape::Object(Kept::Single)),
        (
            "PUT",
            format!("{ours}/namespaces/shop/certificateorders/www/status"),
            json,
            Shape::Object(Kept::Single),
        ),
        ("GET", "/api/v1/secrets?limit=5".to_owned(), metadata, Shape::List(Kept::Identity)),
        (
            "GET",
            "/api/v1/namespaces/shop/secrets?watch=true".to_owned(),
            metadata,
            Shape::Events(Kept::Identity),
        ),
        ("GET", "/api/v1/namespaces/shop/secrets/www".to_owned(), json, Shape::Mended),
        ("PATCH", "/api/v1/namespaces/shop/secrets/www".to_owned(), json, Shape::Mended),
        (
            "GET",
            "/apis/coordination.k8s.io/v1/namespaces/a/leases".to_owned(),
            json,
            Shape::List(Kept::Listed),
        ),
        ("GET", "/apis/coordination.k8s.io/v1/namespaces/a/leases/b".to_owned(), json, Shape::Mended),
        ("GET", "/api/v1/namespaces/kube-system".to_owned(), json, Shape::Mended),
        ("GET", "/version".to_owned(), json, Shape::AsItIs),
    ] {
        assert_eq!(shape_of(method, &path, accept), wanted, "{method} {path}");
    }
}
