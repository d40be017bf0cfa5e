//! What an application becomes, and the client over real HTTP.

mod client;
mod fields;
mod lifecycle;
mod reissue;
mod rules;
mod saved;
mod successors;

use serde_json::{Value, json};

use super::request;
use crate::api::v1alpha1::TencentCloudOrder;
use crate::core::application::{Application, Key, KeyAlgorithm};
use crate::core::conditions::Problem;
use crate::core::names::Names;
use crate::provider::Payload;
use crate::provider::fixtures::{application, company_application, csr, document, json_of};

/// The block `spec.provider.tencentCloud` with the id `J2lX2maH` and these fields.
fn order(fields: &Value) -> TencentCloudOrder {
    let mut block = json!({"certificateId": "J2lX2maH"});
    block.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(block).unwrap()
}

fn prepare(fields: &Value, application: &Application) -> Result<Payload, Problem> {
    request::prepare(&order(fields), application, None)
}

/// The body that would be sent.
fn body(fields: &Value, application: &Application) -> Value {
    json_of(&prepare(fields, application).unwrap())
}
