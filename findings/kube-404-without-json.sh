#!/usr/bin/env bash
# kube 5.0.0 does not take a 404 for "not found" unless its body is a Status in JSON: Api::get_opt returns an error in place
# of None, and Status::is_not_found says no. An API server answers in plain text, "404 page not found", for a kind that it
# does not serve, and for moments after a CRD was created. So do is_conflict, is_forbidden and is_invalid with 409, 403 and
# 422 of a proxy.
#
# The documentation of these functions says that they follow the Go client, which goes by the code where the reason is none
# that it knows. The crate asks whether the reason that it looks for is known, which it always is, and not the one that came.
#
# Seen with kube 5.0.0:
#
#   404 with a Status in JSON: get_opt None
#   404 in plain text:         get_opt Err, code 404, is_not_found false
#
# What follows: certorder looks at the code where a kind may be absent (examples/tryout/served.rs). Needs cargo. Fails if
# any of that changes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
cat > "$work/Cargo.toml" <<'TOML'
[package]
name = "absent"
version = "0.0.0"
edition = "2021"

[dependencies]
http = "1"
k8s-openapi = { version = "0.29", default-features = false, features = ["latest"] }
kube = { version = "=5.0.0", default-features = false, features = ["client"] }
tokio = { version = "1", features = ["macros", "rt"] }
tower = { version = "0.5", features = ["util"] }
TOML
cat > "$work/src/main.rs" <<'RUST'
use k8s_openapi::api::core::v1::ConfigMap;
use kube::client::Body;
use kube::{Api, Client, Error};

const JSON: &str = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"NotFound","message":"no","code":404}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for (what, body) in [("JSON", JSON), ("text", "404 page not found\n")] {
        let server = tower::service_fn(move |_: http::Request<Body>| async move {
            let answer = http::Response::builder().status(404).body(Body::from(body.as_bytes().to_vec()));
            Ok::<_, std::convert::Infallible>(answer.unwrap())
        });
        let api: Api<ConfigMap> = Api::default_namespaced(Client::new(server, "shop"));
        match api.get_opt("settings").await {
            Ok(found) => println!("{what}: {found:?}"),
            Err(Error::Api(status)) => println!("{what}: code {}, is_not_found {}", status.code, status.is_not_found()),
            Err(other) => println!("{what}: {other}"),
        }
    }
}
RUST
seen=$(cargo run --quiet --manifest-path "$work/Cargo.toml" | paste -sd ';')
echo "$seen"
[ "$seen" = "JSON: None;text: code 404, is_not_found false" ]
