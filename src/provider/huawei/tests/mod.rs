//! What an application becomes, and the client over real HTTP.

mod client;
mod fields;
mod lifecycle;
mod rules;
mod successors;

use serde_json::{Value, json};

use super::request;
use crate::api::v1alpha1::HuaweiCloudOrder;
use crate::core::application::Application;
use crate::core::conditions::Problem;
use crate::provider::Payload;
use crate::provider::fixtures::{company_application, json_of};

/// The id of the certificate of most tests.
const CERTIFICATE: &str = "scs1590053258704";

/// The block `spec.provider.huaweiCloud` with these fields.
fn order(fields: &Value) -> HuaweiCloudOrder {
    let mut block =
        json!({"certificateId": CERTIFICATE, "region": "ap-southeast-1", "agreePrivacyProtection": true});
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
