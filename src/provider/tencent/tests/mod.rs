//! What an application becomes, and the client over real HTTP.

mod client;
mod fields;
mod life;
mod rules;
mod saved;

use serde_json::{Value, json};

use super::request;
use crate::api::v1alpha1::TencentCloudOrder;
use crate::core::certificate::Csr;
use crate::core::conditions::Problem;
use crate::core::names::Names;
use crate::core::order::{
    Application, Contact, Identification, Key, KeyAlgorithm, Organization, Profile, Saved, ValidationMethod,
};
use crate::provider::Payload;
use secrecy::ExposeSecret;

/// The block `spec.provider.tencentCloud` with the id `J2lX2maH` and these fields.
fn order(fields: &Value) -> TencentCloudOrder {
    let mut block = json!({"certificateId": "J2lX2maH"});
    block.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(block).unwrap()
}

/// A person's application with a key made by the cloud.
fn application() -> Application {
    Application {
        names: Names::parse("www.acme.example", &[]).unwrap(),
        key: Key::Cloud(KeyAlgorithm::Rsa(2048)),
        validation: ValidationMethod::Dns,
        profile: None,
        key_password: None,
    }
}

/// The same for a company.
fn company_application() -> Application {
    Application { profile: Some(profile()), ..application() }
}

fn profile() -> Profile {
    let text = |text: &str| Some(text.to_owned());
    Profile {
        organization: Some(Organization {
            name: text("示例科技有限公司"),
            division: text("Platform"),
            address: text("No. 101, Example Road"),
            city: text("Guangzhou"),
            region: text("Guangdong"),
            country: text("CN"),
            phone_area_code: text("020"),
            phone_number: text("12345678"),
            identification: None,
        }),
        administrator: contact(
            "spec.administrator",
            ["Ning", "Huang", "R&D", "13112341234", "ning@acme.example"],
        ),
        technical_contact: contact(
            "spec.technicalContact",
            ["Wei", "Chen", "Operations", "13112345678", "pki@acme.example"],
        ),
        saved: Saved::No,
    }
}

/// A contact: first name, last name, title, phone, e-mail.
fn contact(path: &'static str, [first_name, last_name, title, phone, email]: [&str; 5]) -> Contact {
    Contact {
        first_name: Some(first_name.into()),
        last_name: Some(last_name.into()),
        title: Some(title.into()),
        phone: Some(phone.into()),
        email: Some(email.into()),
        identification: None,
        path,
    }
}

fn document(kind: &str, number: &str) -> Identification {
    Identification { kind: kind.to_owned(), number: number.into() }
}

fn csr() -> Csr {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "www.acme.example");
    let request = params.serialize_request(&rcgen::KeyPair::generate().unwrap()).unwrap();
    Csr::parse(&request.pem().unwrap()).unwrap()
}

fn prepare(fields: &Value, application: &Application) -> Result<Payload, Problem> {
    request::prepare(&order(fields), application, None)
}

/// The body that would be sent.
fn body(fields: &Value, application: &Application) -> Value {
    json_of(&prepare(fields, application).unwrap())
}

fn json_of(payload: &Payload) -> Value {
    serde_json::from_slice(payload.body.expose_secret()).unwrap()
}
