//! One request after the other: which part of the server answers it.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use serde_json::Value;

use super::discovery;
use super::patch::{self, Patch};
use super::protobuf;
use super::query::Parameters;
use super::registry::Target;
use super::selector::Selector;
use super::server::Server;
use super::status::{Failure, json_reply};
use super::view::Form;
use super::watch::{WatchRequest, watch};
use super::write::{WriteOptions, Written};

/// The most bytes of a request's body, as in the API server.
const MAX_BODY: usize = 3 * 1024 * 1024;
const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// One request, taken apart.
struct Call {
    target: Target,
    parameters: Parameters,
    form: Form,
    headers: HeaderMap,
    body: Bytes,
}

/// Answers any request.
pub(crate) async fn handle(Shared(server): Shared<Arc<Server>>, request: Request<Body>) -> Response {
    respond(&server, request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn respond(server: &Arc<Server>, request: Request<Body>) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if let Some(document) = discovery::document(&server.lock().registry, path, &parts.headers) {
        return if parts.method == Method::GET { document } else { Err(Failure::method_not_allowed()) };
    }
    let target = server.lock().registry.resolve(path)?;
    let parameters = Parameters::parse(&parts.uri)?;
    let accept =
        parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let form = Form::negotiate(accept, parameters.include_object()?)?;
    let body = to_bytes(body, MAX_BODY).await.map_err(|_| Failure::too_large(MAX_BODY))?;
    let call = Call { target, parameters, form, headers: parts.headers, body };
    match (&call.target.name, call.target.subresource.as_deref()) {
        (None, _) => call.on_collection(server, &parts.method),
        (Some(_), None) => call.on_object(server, &parts.method, false),
        (Some(_), Some("status")) if call.target.resource.has_status => {
            call.on_object(server, &parts.method, true)
        }
        (Some(name), Some(_)) => Err(Failure::not_found(&call.target.resource, name)),
    }
}

impl Call {
    fn on_collection(self, server: &Arc<Server>, method: &Method) -> Result<Response, Failure> {
        let everywhere = self.target.resource.namespaced && self.target.namespace.is_empty();
        match *method {
            Method::GET if self.parameters.is_watch() => self.watch(server),
            Method::GET => self.list(server),
            Method::POST if !everywhere => {
                let options = self.parameters.write_options(&self.headers, false)?;
                let body = self.json_body()?;
                self.written(server.lock().create(&self.target, body, &options)?)
            }
            Method::DELETE if !everywhere => self.delete_collection(server),
            _ => Err(Failure::method_not_allowed()),
        }
    }

    fn on_object(self, server: &Arc<Server>, method: &Method, status: bool) -> Result<Response, Failure> {
        match *method {
            Method::GET if self.parameters.is_watch() => Err(Failure::method_not_allowed()),
            Method::GET => {
                let object = Arc::clone(server.lock().get(&self.target)?);
                Ok(json_reply(StatusCode::OK, &self.form.object(&self.target.resource, &object)))
            }
            Method::PUT => {
                let options = self.parameters.write_options(&self.headers, status)?;
                let body = self.json_body()?;
                self.written(server.lock().update(&self.target, body, &options)?)
            }
            Method::PATCH => {
                let options = self.parameters.write_options(&self.headers, status)?;
                self.patch(server, &options)
            }
            Method::DELETE if !status => {
                let options = self.parameters.delete_options(&self.optional_body()?)?;
                let reply = server.lock().delete(&self.target, &options)?;
                Ok(json_reply(StatusCode::OK, &reply))
            }
            _ => Err(Failure::method_not_allowed()),
        }
    }

    fn selector(&self) -> Result<Selector, Failure> {
        let Parameters { label_selector, field_selector, .. } = &self.parameters;
        Selector::parse(&self.target.resource, label_selector, field_selector)
    }

    fn list(self, server: &Server) -> Result<Response, Failure> {
        self.parameters.check_list()?;
        let (selector, limit) = (self.selector()?, self.parameters.limit()?);
        let state = server.lock();
        state.check_version(self.parameters.version()?)?;
        if self.parameters.wants_exact_version() {
            state.check_exact_version(self.parameters.version()?)?;
        }
        let page = state.list(&self.target, &selector, limit, &self.parameters.continue_token)?;
        drop(state);
        let text = self.form.list(&self.target.resource, &page.items, &page.metadata)?;
        Ok((StatusCode::OK, [(header::CONTENT_TYPE, JSON)], text).into_response())
    }

    fn watch(self, server: &Arc<Server>) -> Result<Response, Failure> {
        let request = WatchRequest {
            selector: self.selector()?,
            form: self.form,
            start: self.parameters.start()?,
            bookmarks: self.parameters.bookmarks(),
            timeout: self.parameters.timeout()?,
            target: self.target,
        };
        watch(server, request)
    }

    fn delete_collection(self, server: &Server) -> Result<Response, Failure> {
        let options = self.parameters.delete_options(&self.optional_body()?)?;
        let (selector, limit) = (self.selector()?, self.parameters.limit()?);
        let mut state = server.lock();
        let page = state.list(&self.target, &selector, limit, &self.parameters.continue_token)?;
        for object in &page.items {
            state.delete_listed(&self.target, object, &options)?;
        }
        drop(state);
        let text = self.form.list(&self.target.resource, &page.items, &page.metadata)?;
        Ok((StatusCode::OK, [(header::CONTENT_TYPE, JSON)], text).into_response())
    }

    fn patch(self, server: &Server, options: &WriteOptions) -> Result<Response, Failure> {
        let resource = &self.target.resource;
        let accepted = patch::accepted(resource);
        let patch = Patch::parse(resource, self.content_type(), &self.body, self.parameters.force())
            .ok_or_else(|| Failure::unsupported_media_type(accepted))??;
        if patch.is_apply() && !self.parameters.names_manager() {
            return Err(Failure::unprocessable(
                "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
            ));
        }
        let written = server.lock().patch(&self.target, &patch, options)?;
        self.written(written)
    }

    fn written(&self, written: Written) -> Result<Response, Failure> {
        let code = if written.created { StatusCode::CREATED } else { StatusCode::OK };
        let mut response = json_reply(code, &self.form.object(&self.target.resource, &written.object));
        for warning in written.warnings {
            let text = format!("299 - \"{}\"", warning.replace('\\', "\\\\").replace('"', "\\\""));
            let value = HeaderValue::from_str(&text).map_err(Failure::internal)?;
            response.headers_mut().append(header::WARNING, value);
        }
        Ok(response)
    }

    fn content_type(&self) -> &str {
        let given = self.headers.get(header::CONTENT_TYPE).and_then(|given| given.to_str().ok());
        given.unwrap_or(JSON).split(';').next().unwrap_or_default().trim()
    }

    fn json_body(&self) -> Result<Value, Failure> {
        read_body(self.content_type(), &self.body)
    }

    /// The body of a delete, which may be left out.
    fn optional_body(&self) -> Result<Value, Failure> {
        if self.body.is_empty() { Ok(Value::Null) } else { self.json_body() }
    }
}

fn read_body(content_type: &str, body: &[u8]) -> Result<Value, Failure> {
    match content_type {
        JSON => patch::json(body),
        YAML => patch::yaml(body),
        PROTOBUF => protobuf::decode(body)?.ok_or_else(|| Failure::unsupported_media_type(&[JSON, YAML])),
        _ => Err(Failure::unsupported_media_type(&[JSON, YAML])),
    }
}
