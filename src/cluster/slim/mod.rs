//! A client whose answers are reduced to what certorder reads, as they come in. What others write into their objects then
//! takes no memory, however much it is and however many objects are listed, and an object whose metadata the client library
//! cannot parse costs no other one.
//!
//! - `items`: splits a list into its items;
//! - `object`: what is kept of an object;
//! - `body`: an answer on its way;
//! - `error`: why it cannot be used.

mod body;
mod error;
mod items;
mod object;
#[cfg(test)]
mod tests;

use axum::body::Body as Reduced;
use http::{HeaderMap, Method, Request, Response, header};
use kube::client::Body;
use kube::{Client, Resource};
use tower::service_fn;

use body::{Answer, Shape};
pub use error::BadAnswer;
use object::{FINALIZERS_LEFT_OUT, Kept, PARTIAL};

/// Asks for an object as it is, metadata of others included.
#[derive(Clone, Copy, Debug)]
pub struct AsItIs;

/// A client whose answers are reduced.
#[must_use]
pub fn client(inner: &Client) -> Client {
    let (inner, namespace) = (inner.clone(), inner.default_namespace().to_owned());
    let ask = service_fn(move |request: Request<Body>| {
        let inner = inner.clone();
        async move {
            let shape = shape(&request);
            let answer = inner.send(request).await?;
            Ok::<Response<Reduced>, kube::Error>(if answer.status().is_success() {
                answer.map(|body| Answer::new(body, shape).into_body())
            } else {
                answer.map(Reduced::new)
            })
        }
    });
    Client::new(ask, namespace)
}

/// Whether parts of an object are left out, since it was read as one of many.
#[must_use]
pub fn is_partial(object: &impl Resource) -> bool {
    is_marked(object, PARTIAL)
}

/// Whether finalizers of others are left out.
#[must_use]
pub fn lacks_finalizers(object: &impl Resource) -> bool {
    is_marked(object, FINALIZERS_LEFT_OUT)
}

fn is_marked(object: &impl Resource, mark: &str) -> bool {
    object.meta().annotations.as_ref().is_some_and(|annotations| annotations.contains_key(mark))
}

/// What the answer to a request is, and what is kept of it.
fn shape<B>(request: &Request<B>) -> Shape {
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let (group, rest) = match segments.as_slice() {
        ["apis", group, _version, rest @ ..] => (*group, rest),
        ["api", _version, rest @ ..] => ("", rest),
        _ => return Shape::AsItIs,
    };
    let resource = match rest {
        ["namespaces", _, resource @ ..] if !resource.is_empty() => resource,
        resource => resource,
    };
    let plural = resource.first().copied().unwrap_or_default();
    let is_many = request.method() == Method::GET && resource.len() == 1;
    let kept = match (group, plural) {
        _ if asks_for_metadata(request.headers()) => Kept::Identity,
        ("certorder.dev", "certificateorders") if is_many => Kept::Order,
        ("certorder.dev" | "coordination.k8s.io", _) if is_many => Kept::Listed,
        ("certorder.dev", _) if request.extensions().get::<AsItIs>().is_none() => Kept::Single,
        _ if is_many => return Shape::AsItIs,
        _ => return Shape::Mended,
    };
    match is_many {
        true if query.split('&').any(|part| part == "watch=true") => Shape::Events(kept),
        true => Shape::List(kept),
        false => Shape::Object(kept),
    }
}

fn asks_for_metadata(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("as=PartialObjectMetadata"))
}
