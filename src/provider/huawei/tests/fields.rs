//! Every parameter of `apply`, and the field of the order or the profile that it comes from.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Application, body, company_application};
use crate::api::Personal;
use crate::core::application::{Contact, Key, KeyAlgorithm, Organization, ValidationMethod};
use crate::core::names::Names;
use crate::provider::fixtures::csr;

/// All parameters of the older page (version 2), and after them those that today's page adds.
const ALL: [&str; 19] = [
    "domain",
    "sans",
    "csr",
    "company_name",
    "company_unit",
    "company_province",
    "company_city",
    "country",
    "applicant_name",
    "applicant_phone",
    "applicant_email",
    "contact_name",
    "contact_phone",
    "contact_email",
    "auto_dns_auth",
    "agree_privacy_protection",
    "domain_method",
    "key_algorithm",
    "ca_hash_algorithm",
];

/// The user's input: the fields of the provider's block, and everything else.
struct Written {
    block: Value,
    application: Application,
}

/// An order in which everything is set that can be set together.
fn everything() -> Written {
    let mut application = company_application();
    application.names = Names::parse("www.acme.example", &["api.acme.example".to_owned()]).unwrap();
    Written { block: json!({"autoDnsAuth": false, "caHashAlgorithm": "DEFAULT"}), application }
}

/// The parameters that a change of the input changes.
fn changed(change: impl FnOnce(&mut Written)) -> BTreeSet<String> {
    let mut written = everything();
    let before = body(&written.block, &written.application);
    change(&mut written);
    let after = body(&written.block, &written.application);
    let names = before.as_object().unwrap().keys().chain(after.as_object().unwrap().keys());
    names.filter(|name| before.get(name) != after.get(name)).cloned().collect()
}

type Case = (&'static str, Box<dyn Fn(&mut Written)>);

fn case(parameters: &'static str, change: impl Fn(&mut Written) + 'static) -> Case {
    (parameters, Box::new(change))
}

fn organization(
    parameter: &'static str,
    value: &'static str,
    field: fn(&mut Organization) -> &mut Option<String>,
) -> Case {
    case(parameter, move |written| {
        let profile = written.application.profile.as_mut().unwrap();
        *field(profile.organization.as_mut().unwrap()) = Some(value.to_owned());
    })
}

fn person(
    parameter: &'static str,
    value: &'static str,
    is_technical: bool,
    field: fn(&mut Contact) -> &mut Option<Personal>,
) -> Case {
    case(parameter, move |written| {
        let profile = written.application.profile.as_mut().unwrap();
        let contact = if is_technical { &mut profile.technical_contact } else { &mut profile.administrator };
        *field(contact) = Some(value.into());
    })
}

fn cases() -> Vec<Case> {
    vec![
        case("domain", |w| {
            w.application.names = Names::parse("acme.example", &["api.acme.example".to_owned()]).unwrap();
        }),
        case("sans", |w| {
            w.application.names = Names::parse("www.acme.example", &["b.c".to_owned()]).unwrap();
        }),
        case("csr key_algorithm", |w| w.application.key = Key::Csr(csr())),
        organization("company_name", "Other", |o| &mut o.name),
        organization("company_unit", "Other", |o| &mut o.division),
        organization("company_province", "Other", |o| &mut o.region),
        organization("company_city", "Other", |o| &mut o.city),
        organization("country", "SG", |o| &mut o.country),
        person("applicant_name", "Ming", false, |c| &mut c.first_name),
        person("applicant_phone", "13900000000", false, |c| &mut c.phone),
        person("applicant_email", "other@acme.example", false, |c| &mut c.email),
        person("contact_name", "Ming", true, |c| &mut c.first_name),
        person("contact_phone", "13900000000", true, |c| &mut c.phone),
        person("contact_email", "other@acme.example", true, |c| &mut c.email),
        case("auto_dns_auth", |w| w.block["autoDnsAuth"] = json!(true)),
        case("domain_method", |w| w.application.validation = ValidationMethod::Email),
        case("ca_hash_algorithm", |w| w.block["caHashAlgorithm"] = json!("SHA-256")),
    ]
}

#[test]
fn every_parameter_of_both_pages_comes_from_one_field() {
    // The consent has only one accepted value; it has a test of its own.
    let mut seen = BTreeSet::from(["agree_privacy_protection".to_owned()]);
    for (parameters, change) in cases() {
        let expected: BTreeSet<String> = parameters.split(' ').map(str::to_owned).collect();
        assert_eq!(changed(change), expected);
        for parameter in expected {
            assert!(seen.insert(parameter.clone()), "{parameter} comes from two fields");
        }
    }
    assert_eq!(seen, ALL.map(str::to_owned).into());
}

#[test]
fn a_kind_of_key_is_changed_alone() {
    let kind = |written: &mut Written| written.application.key = Key::Cloud(KeyAlgorithm::Ecdsa(384));
    assert_eq!(changed(kind), BTreeSet::from(["key_algorithm".to_owned()]));
}

#[test]
fn a_last_name_is_a_part_of_the_name() {
    let last = |written: &mut Written| {
        written.application.profile.as_mut().unwrap().administrator.last_name = Some("Li".into());
    };
    assert_eq!(changed(last), BTreeSet::from(["applicant_name".to_owned()]));
}

#[test]
fn the_request_is_that_of_the_page() {
    let Written { block, application } = everything();
    let expected = json!({
        "domain": "www.acme.example", "sans": "api.acme.example", "key_algorithm": "RSA_2048",
        "company_name": "示例科技有限公司", "company_unit": "Platform", "company_province": "Guangdong",
        "company_city": "Guangzhou", "country": "CN",
        "applicant_name": "Ning.Huang", "applicant_phone": "13112341234", "applicant_email": "ning@acme.example",
        "contact_name": "Wei.Chen", "contact_phone": "13112345678", "contact_email": "pki@acme.example",
        "domain_method": "DNS", "ca_hash_algorithm": "DEFAULT", "auto_dns_auth": false,
        "agree_privacy_protection": true,
    });
    assert_eq!(body(&block, &application), expected);
}
