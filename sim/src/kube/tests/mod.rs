//! The API through kube's client, over HTTP.

mod apply;
mod deletion;
mod kinds;
mod objects;
mod reading;

use std::collections::BTreeMap;
use std::time::Duration;

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

use super::ApiServer;

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
    DynamicObject::new(name, &widget_kind()).data(Value::from_iter([("spec", spec)]))
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
