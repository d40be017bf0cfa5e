//! Every parameter of `CertificateInfoSubmit`, and the field of the order or the profile that it comes from.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Application, Names, body, company_application, csr, document};
use crate::api::Personal;
use crate::core::application::{Contact, Key, KeyAlgorithm, Organization, ValidationMethod};

/// All parameters that Tencent Cloud's page on the action lists.
const ALL: [&str; 42] = [
    "CertId",
    "GenCsrType",
    "CertCommonName",
    "CompanyType",
    "CompanyId",
    "OrgIdType",
    "OrgIdNumber",
    "AdminIdType",
    "AdminIdNumber",
    "TechIdType",
    "TechIdNumber",
    "Csr",
    "DnsNames",
    "KeyPass",
    "OrgOrganization",
    "OrgDivision",
    "OrgAddress",
    "OrgCountry",
    "OrgCity",
    "OrgRegion",
    "OrgPhoneArea",
    "OrgPhoneNumber",
    "VerifyType",
    "AdminFirstName",
    "AdminLastName",
    "AdminPhone",
    "AdminEmail",
    "AdminTitle",
    "TechFirstName",
    "TechLastName",
    "ContactEmail",
    "AutoRenewFlag",
    "CsrKeyParameter",
    "CsrEncryptAlgo",
    "ManagerId",
    "TechPhone",
    "TechEmail",
    "TechTitle",
    "Type",
    "CaType",
    "SignAlgo",
    "UseCrossSignRoot",
];

/// The user's input: the fields of the provider's block, and everything else.
#[derive(Clone)]
struct Written {
    block: Value,
    application: Application,
}

/// An order in which everything is set that can be set together.
fn everything() -> Written {
    let mut application = company_application();
    application.names = Names::parse("www.acme.example", &["api.acme.example".to_owned()]).unwrap();
    application.key_password = Some("before".into());
    let profile = application.profile.as_mut().unwrap();
    profile.organization.as_mut().unwrap().identification = Some(document("TYDMZ", "before"));
    profile.administrator.identification = Some(document("SFZ", "before"));
    profile.technical_contact.identification = Some(document("SFZ", "before"));
    let block = json!({
        "contactEmail": "mail@acme.example", "autoRenew": false, "caType": "sectigo", "signAlgorithm": "a",
        "useCrossSignRoot": false, "type": 1,
    });
    Written { block, application }
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

fn block(field: &'static str, value: impl Into<Value>) -> impl Fn(&mut Written) {
    let value = value.into();
    move |written| written.block[field] = value.clone()
}

fn organization(field: fn(&mut Organization) -> &mut Option<String>) -> impl Fn(&mut Written) {
    move |written| {
        let profile = written.application.profile.as_mut().unwrap();
        *field(profile.organization.as_mut().unwrap()) = Some("after".to_owned());
    }
}

fn administrator(field: fn(&mut Contact) -> &mut Option<Personal>) -> impl Fn(&mut Written) {
    move |written| {
        *field(&mut written.application.profile.as_mut().unwrap().administrator) = Some("after".into());
    }
}

fn technical(field: fn(&mut Contact) -> &mut Option<Personal>) -> impl Fn(&mut Written) {
    move |written| {
        *field(&mut written.application.profile.as_mut().unwrap().technical_contact) = Some("after".into());
    }
}

type Case = (&'static str, Box<dyn Fn(&mut Written)>);

fn case(parameters: &'static str, change: impl Fn(&mut Written) + 'static) -> Case {
    (parameters, Box::new(change))
}

fn of_the_order() -> Vec<Case> {
    vec![
        case("CertId", block("certificateId", "other")),
        case("ContactEmail", block("contactEmail", "other@acme.example")),
        case("AutoRenewFlag", block("autoRenew", true)),
        case("CaType", block("caType", "digicert")),
        case("SignAlgo", block("signAlgorithm", "b")),
        case("UseCrossSignRoot", block("useCrossSignRoot", true)),
        case("Type", block("type", 2)),
        case("KeyPass", |w| w.application.key_password = Some("after".into())),
        case("CertCommonName", |w| {
            w.application.names = Names::parse("acme.example", &["api.acme.example".to_owned()]).unwrap();
        }),
        case("DnsNames", |w| {
            w.application.names = Names::parse("www.acme.example", &["b.c".to_owned()]).unwrap();
        }),
        case("VerifyType", |w| w.application.validation = ValidationMethod::File),
        case("GenCsrType Csr CsrEncryptAlgo CsrKeyParameter", |w| w.application.key = Key::Csr(csr())),
    ]
}

fn of_the_profile() -> Vec<Case> {
    vec![
        case("OrgOrganization", organization(|o| &mut o.name)),
        case("OrgDivision", organization(|o| &mut o.division)),
        case("OrgAddress", organization(|o| &mut o.address)),
        case("OrgCountry", organization(|o| &mut o.country)),
        case("OrgCity", organization(|o| &mut o.city)),
        case("OrgRegion", organization(|o| &mut o.region)),
        case("OrgPhoneArea", organization(|o| &mut o.phone_area_code)),
        case("OrgPhoneNumber", organization(|o| &mut o.phone_number)),
        case("AdminFirstName", administrator(|c| &mut c.first_name)),
        case("AdminLastName", administrator(|c| &mut c.last_name)),
        case("AdminPhone", administrator(|c| &mut c.phone)),
        case("AdminEmail", administrator(|c| &mut c.email)),
        case("AdminTitle", administrator(|c| &mut c.title)),
        case("TechFirstName", technical(|c| &mut c.first_name)),
        case("TechLastName", technical(|c| &mut c.last_name)),
        case("TechPhone", technical(|c| &mut c.phone)),
        case("TechEmail", technical(|c| &mut c.email)),
        case("TechTitle", technical(|c| &mut c.title)),
        case("OrgIdType OrgIdNumber", |w| {
            let organization = w.application.profile.as_mut().unwrap().organization.as_mut().unwrap();
            organization.identification = Some(document("OTHERS", "after"));
        }),
        case("AdminIdType AdminIdNumber", |w| {
            w.application.profile.as_mut().unwrap().administrator.identification =
                Some(document("HZ", "after"));
        }),
        case("TechIdType TechIdNumber", |w| {
            w.application.profile.as_mut().unwrap().technical_contact.identification =
                Some(document("HZ", "after"));
        }),
    ]
}

#[test]
fn every_parameter_of_the_page_comes_from_one_field() {
    // The ids of a saved profile are always sent, and are "0" if none is used. CompanyType changes
    // everything, so it has tests of its own.
    let mut seen: BTreeSet<String> = ["CompanyId", "ManagerId", "CompanyType"].map(str::to_owned).into();
    for (parameters, change) in of_the_order().into_iter().chain(of_the_profile()) {
        let expected: BTreeSet<String> = parameters.split(' ').map(str::to_owned).collect();
        assert_eq!(changed(change), expected);
        for parameter in expected {
            assert!(seen.insert(parameter.clone()), "{parameter} comes from two fields");
        }
    }
    assert_eq!(seen, ALL.map(str::to_owned).into());
}

#[test]
fn a_number_of_a_key_is_changed_alone() {
    let bits = |written: &mut Written| written.application.key = Key::Cloud(KeyAlgorithm::Rsa(4096));
    assert_eq!(changed(bits), BTreeSet::from(["CsrKeyParameter".to_owned()]));
}
