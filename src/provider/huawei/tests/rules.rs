//! The conditions between the parameters of `apply`, and its limits.

use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::{Application, body, company_application, json_of, order, prepare};
use crate::api::Personal;
use crate::api::v1alpha1::conditions::Reason;
use crate::core::application::{Contact, Key, KeyAlgorithm, Organization, ValidationMethod};
use crate::core::names::Names;
use crate::core::product::{Algorithms, Product};
use crate::provider::fixtures::{application, csr};
use crate::provider::huawei::{evidence, request};

fn refused(fields: &Value, application: &Application) -> (Reason, String) {
    let problem = prepare(fields, application).unwrap_err();
    (problem.reason, problem.message)
}

fn named(common_name: &str, others: &[&str]) -> Application {
    let others: Vec<_> = others.iter().map(|name| (*name).to_owned()).collect();
    Application { names: Names::parse(common_name, &others).unwrap(), ..company_application() }
}

/// The application with another organisation.
fn of(change: impl FnOnce(&mut Organization)) -> Application {
    let mut application = company_application();
    change(application.profile.as_mut().unwrap().organization.as_mut().unwrap());
    application
}

fn administrator(first: &str, last: &str) -> Application {
    let mut application = company_application();
    let administrator = &mut application.profile.as_mut().unwrap().administrator;
    (administrator.first_name, administrator.last_name) = (Some(first.into()), Some(last.into()));
    application
}

#[test]
fn nothing_that_is_not_set_is_sent_but_the_two_flags() {
    let mut person = company_application();
    person.profile.as_mut().unwrap().organization = None;
    person.profile.as_mut().unwrap().technical_contact = Contact::default();
    let expected = json!({
        "domain": "www.acme.example", "key_algorithm": "RSA_2048", "applicant_name": "Ning.Huang",
        "applicant_phone": "13112341234", "applicant_email": "ning@acme.example", "domain_method": "DNS",
        "auto_dns_auth": false, "agree_privacy_protection": true,
    });
    assert_eq!(body(&json!({}), &person), expected);
    assert_eq!(body(&json!({}), &of(|o| o.division = Some(" ".to_owned()))).get("company_unit"), None);
}

#[test]
fn an_applicant_is_needed_and_the_error_names_the_field() {
    let (reason, message) = refused(&json!({}), &application());
    assert!(reason == Reason::InvalidRequest && message.contains("spec.organizationProfileRef"), "{message}");
    let mut application = company_application();
    let administrator = &mut application.profile.as_mut().unwrap().administrator;
    (administrator.phone, administrator.email) = (None, Some(" ".into()));
    let expected = "the profile's spec.administrator.email, spec.administrator.phone are empty, and Huawei Cloud needs them";
    assert_eq!(refused(&json!({}), &application), (Reason::ProfileIncomplete, expected.to_owned()));
}

#[test]
fn the_name_of_an_applicant_is_composed_as_its_language_does() {
    let names = [
        ("Ning", "Huang", "Ning.Huang"),
        ("宁", "黄", "黄宁"),
        ("Mary Ann", "O-Neil", "Mary.Ann.O-Neil"),
        (" Ning ", "黄", "Ning.黄"),
    ];
    for (first, last, name) in names {
        assert_eq!(body(&json!({}), &administrator(first, last))["applicant_name"], name);
    }
}

#[test]
fn the_name_of_an_applicant_has_four_to_a_hundred_bytes_of_its_alphabet() {
    for (first, last) in [("Li", "X"), ("A".repeat(98).as_str(), "B"), ("黄", "李")] {
        assert!(prepare(&json!({}), &administrator(first, last)).is_ok(), "{first} {last}");
    }
    let refusals = [
        ("", "", "are empty"),
        ("L", "X", "has 3 bytes, first and last name together"),
        (&"A".repeat(99), "B", "has 101 bytes"),
        ("José", "Pérez", "write it with English or Chinese letters"),
        ("Ning1", "Huang", "write it with English or Chinese letters"),
    ];
    for (first, last, message) in refusals {
        let (reason, text) = refused(&json!({}), &administrator(first, last));
        assert_eq!(reason, Reason::ProfileIncomplete);
        assert!(text.contains(message) && !text.contains("José"), "{text}");
    }
}

#[test]
fn what_people_and_organisations_are_called_has_at_most_63_characters() {
    type Change = fn(&mut Organization, String);
    let fields: [(Change, &str); 4] = [
        (|o, text| o.name = Some(text), "spec.organization.name"),
        (|o, text| o.division = Some(text), "spec.organization.division"),
        (|o, text| o.region = Some(text), "spec.organization.region"),
        (|o, text| o.city = Some(text), "spec.organization.city"),
    ];
    for (change, path) in fields {
        assert!(prepare(&json!({}), &of(|o| change(o, "示".repeat(63)))).is_ok(), "{path}");
        let (reason, message) = refused(&json!({}), &of(|o| change(o, "示".repeat(64))));
        let expected =
            format!("the profile's {path} has 64 characters, and Huawei Cloud takes 63: shorten it");
        assert_eq!((reason, message), (Reason::ProfileIncomplete, expected));
    }
    let mut application = company_application();
    application.profile.as_mut().unwrap().technical_contact.last_name = Some("x".repeat(63).as_str().into());
    assert!(
        refused(&json!({}), &application).1.contains("spec.technicalContact.firstName and lastName has 67")
    );
}

#[test]
fn an_address_and_a_country_are_what_they_should_be() {
    for bad in ["example.huawei.com", "@acme.example", "pki@", "p k@acme.example", "a@b@c"] {
        let mut application = company_application();
        application.profile.as_mut().unwrap().technical_contact.email = Some(Personal::from(bad));
        let (reason, message) = refused(&json!({}), &application);
        assert_eq!(reason, Reason::ProfileIncomplete);
        assert_eq!(message, "the profile's spec.technicalContact.email is not an e-mail address");
    }
    for bad in ["China", "C1", "中国"] {
        assert!(
            refused(&json!({}), &of(|o| o.country = Some(bad.to_owned()))).1.contains("two letters"),
            "{bad}"
        );
    }
}

#[test]
fn keys_have_the_clouds_names_and_a_csr_has_none() {
    let kinds = [
        (KeyAlgorithm::Rsa(2048), "RSA_2048"),
        (KeyAlgorithm::Rsa(3072), "RSA_3072"),
        (KeyAlgorithm::Rsa(4096), "RSA_4096"),
        (KeyAlgorithm::Ecdsa(256), "EC_P256"),
        (KeyAlgorithm::Ecdsa(384), "EC_P384"),
    ];
    let with = |key| Application { key, ..company_application() };
    for (kind, name) in kinds {
        let body = body(&json!({}), &with(Key::Cloud(kind)));
        assert_eq!((&body["key_algorithm"], body.get("csr")), (&json!(name), None));
    }
    let (reason, message) = refused(&json!({}), &with(Key::Cloud(KeyAlgorithm::Rsa(8192))));
    assert!(reason == Reason::InvalidRequest && message.contains("RSA 8192"), "{message}");
    let csr = csr();
    let body = body(&json!({}), &with(Key::Csr(csr.clone())));
    assert_eq!((&body["csr"], body.get("key_algorithm")), (&json!(csr.pem().trim()), None));
}

#[test]
fn a_csr_and_further_names_fit_into_their_parameters() {
    let many: Vec<String> =
        (0..100).map(|number| format!("host-{number}.{}.example", "a".repeat(40))).collect();
    let mut params = rcgen::CertificateParams::new(many.clone()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "www.acme.example");
    let pem = params.serialize_request(&rcgen::KeyPair::generate().unwrap()).unwrap().pem().unwrap();
    let large = crate::core::certificate::Csr::parse(&pem).unwrap();
    let (reason, message) =
        refused(&json!({}), &Application { key: Key::Csr(large), ..company_application() });
    assert!(reason == Reason::InvalidRequest && message.contains("Huawei Cloud takes 5120"), "{message}");

    // What stands around a request is neither sent nor counted.
    let text = include_str!("../../../../tests/vectors/pem/csr/text.pem");
    let wordy = crate::core::certificate::Csr::parse(&("a comment\n".repeat(1000) + text)).unwrap();
    let body = body(&json!({}), &Application { key: Key::Csr(wordy.clone()), ..company_application() });
    let sent = body["csr"].as_str().unwrap();
    assert!(sent.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n") && sent.len() < 1200, "{sent}");
    assert_eq!(crate::core::certificate::Csr::parse(sent), Ok(wordy));

    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let (reason, message) = refused(&json!({}), &named("www.acme.example", &many));
    assert!(reason == Reason::InvalidRequest && message.contains("Huawei Cloud takes 4096"), "{message}");
}

#[test]
fn further_names_are_joined_without_the_common_name() {
    let application = named("www.acme.example", &["b.acme.example", "www.acme.example", "a.acme.example"]);
    assert_eq!(body(&json!({}), &application)["sans"], "b.acme.example;a.acme.example");
}

#[test]
fn names_are_validated_by_dns_or_mail() {
    let by = |validation| Application { validation, ..company_application() };
    assert_eq!(body(&json!({}), &by(ValidationMethod::Email))["domain_method"], "EMAIL");
    let (reason, message) = refused(&json!({}), &by(ValidationMethod::File));
    assert!(reason == Reason::InvalidRequest && message.contains("spec.validation.method"), "{message}");
}

#[test]
fn the_consent_is_the_users_alone() {
    let (reason, message) = refused(&json!({"agreePrivacyProtection": false}), &company_application());
    assert!(
        reason == Reason::InvalidRequest && message.contains("agreePrivacyProtection: true"),
        "{message}"
    );
}

#[test]
fn what_the_product_demands_and_allows_is_judged_before_it_is_sent() {
    let product = |name: &str, domain_validated, wildcard, names| Product {
        name: Some(name.to_owned()),
        domain_validated,
        wildcard,
        names,
        ..Product::default()
    };
    let (dv, ov) = (
        product("TRUSTASIA DV_SSL_CERT", Some(true), Some(false), Some(1)),
        product("GLOBALSIGN OV_SSL_CERT", Some(false), Some(false), Some(3)),
    );
    let geotrust = product("GEOTRUST OV_SSL_CERT_PRO", Some(false), None, None);
    let mut person = company_application();
    person.profile.as_mut().unwrap().organization = None;
    let mail = Application { validation: ValidationMethod::Email, ..company_application() };
    let nothing = json!({});
    let hash = json!({"caHashAlgorithm": "SHA-256"});
    let incomplete = of(|o| (o.city, o.country) = (None, Some(" ".to_owned())));
    let cases = [
        (&nothing, company_application(), Product::default(), None),
        (&nothing, person.clone(), Product::default(), None),
        (&nothing, person.clone(), dv.clone(), None),
        (&nothing, mail.clone(), ov.clone(), None),
        (&nothing, mail, dv.clone(), Some("is of the type DV, which is not validated by e-mail")),
        (&nothing, named("a.b", &["c.d"]), dv.clone(), Some("covers one name: remove spec.dnsNames")),
        (&nothing, named("*.acme.example", &[]), dv, Some("covers no wildcard names such as *.acme.example")),
        (&nothing, named("a.b", &["c.d", "e.f", "g.h"]), ov.clone(), Some("covers 3 names")),
        (&nothing, person, ov.clone(), Some("the profile's spec.organization is empty")),
        (&nothing, incomplete, ov, Some("spec.organization.city, spec.organization.country are empty")),
        (&nothing, company_application(), geotrust.clone(), None),
        (&hash, company_application(), geotrust, None),
    ];
    for (fields, application, product, problem) in cases {
        let prepared = request::prepare(&order(fields), &application, Some(&product)).map(drop);
        match (prepared, problem) {
            (Ok(()), None) => {}
            (Err(found), Some(expected)) => assert!(found.message.contains(expected), "{found}"),
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    }
}

#[test]
fn a_product_that_needs_a_hash_algorithm_gets_the_clouds_default_unless_one_is_named() {
    let product = |name: &str| Some(Product { name: Some(name.to_owned()), ..Product::default() });
    let named = json!({"caHashAlgorithm": "SHA-256"});
    let cases = [
        (json!({}), product("GEOTRUST OV_SSL_CERT"), json!("DEFAULT")),
        (json!({}), product("GEOTRUST OV_SSL_CERT_PRO"), json!("DEFAULT")),
        (named.clone(), product("GEOTRUST OV_SSL_CERT"), json!("SHA-256")),
        (named, None, json!("SHA-256")),
        (json!({}), product("GEOTRUST DV_SSL_CERT"), Value::Null),
        (json!({}), product("GLOBALSIGN OV_SSL_CERT"), Value::Null),
        (json!({}), Some(Product::default()), Value::Null),
        (json!({}), None, Value::Null),
    ];
    for (fields, product, sent) in cases {
        let payload = request::prepare(&order(&fields), &company_application(), product.as_ref()).unwrap();
        assert_eq!(payload.redacted["ca_hash_algorithm"], sent, "{product:?}");
        let body: Value = serde_json::from_slice(payload.body.expose_secret()).unwrap();
        assert_eq!(body["ca_hash_algorithm"], sent, "what is shown is what is sent");
    }
}

#[test]
fn for_an_sm2_product_the_cloud_makes_an_sm2_key_and_the_plan_says_so() {
    let product = |algorithms| Product { algorithms, ..Product::default() };
    let cases = [
        (Some(Algorithms::Sm2), Key::Cloud(KeyAlgorithm::Rsa(2048)), json!("SM2"), true),
        // A kind of key that the cloud does not make otherwise.
        (Some(Algorithms::Sm2), Key::Cloud(KeyAlgorithm::Ecdsa(521)), json!("SM2"), true),
        (Some(Algorithms::International), Key::Cloud(KeyAlgorithm::Ecdsa(256)), json!("EC_P256"), false),
        (None, Key::Cloud(KeyAlgorithm::Rsa(2048)), json!("RSA_2048"), false),
        (Some(Algorithms::Sm2), Key::Csr(csr()), Value::Null, false),
    ];
    for (algorithms, key, sent, noted) in cases {
        let application = Application { key, ..company_application() };
        let payload = request::prepare(&order(&json!({})), &application, Some(&product(algorithms))).unwrap();
        assert_eq!(payload.redacted["key_algorithm"], sent, "{algorithms:?}");
        assert_eq!(
            payload.note.is_some_and(|note| note.contains("makes an SM2 key")),
            noted,
            "{algorithms:?}"
        );
    }
}

#[test]
fn bytes_and_hash_are_the_same_every_time_and_are_those_of_every_release() {
    let (one, two) = (
        prepare(&json!({}), &company_application()).unwrap(),
        prepare(&json!({}), &company_application()).unwrap(),
    );
    assert_eq!(one.body.expose_secret(), two.body.expose_secret());
    // The hash is stored: with a release that changes it, every running order would count as edited.
    assert_eq!(
        one.fingerprint.plain(),
        "sha256:4dca993a436abdc939d3481c30dcb846dd2286d328d9462589bb0d1cef8203bb"
    );
    assert_eq!(two.fingerprint, one.fingerprint);
    let product = Product { domain_validated: Some(false), ..Product::default() };
    let named = request::prepare(&order(&json!({})), &company_application(), Some(&product)).unwrap();
    assert_eq!(named.fingerprint, one.fingerprint, "what is known of the product changes no byte");
}

#[test]
fn people_see_the_request_without_personal_data() {
    let application = company_application();
    let payload = prepare(&json!({}), &application).unwrap();
    let shown = payload.redacted.to_string();
    for value in application.sensitive() {
        assert!(!shown.contains(value.expose_secret()), "{shown}");
    }
    assert_eq!(payload.redacted["company_name"], "示例科技有限公司");
    for name in [
        "applicant_name",
        "applicant_phone",
        "applicant_email",
        "contact_name",
        "contact_phone",
        "contact_email",
    ] {
        assert_eq!(payload.redacted[name], "***", "{name}");
    }
    assert!(!format!("{payload:?}").contains("ning@acme.example"));
}

/// What `show` returns of a request: everything but the department, the CSR and the options for the cloud.
fn shown(sent: &Value) -> (Option<String>, Vec<String>, Map<String, Value>) {
    let sent = sent.as_object().unwrap();
    let text = |name: &str| sent.get(name).and_then(Value::as_str).map(str::to_owned);
    let info = sent.iter().filter(|(name, _)| {
        ["company_name", "company_province", "company_city", "country"].contains(&name.as_str())
            || name.starts_with("applicant_")
            || name.starts_with("contact_")
    });
    let sans = text("sans").unwrap_or_default();
    let sans = sans.split(';').map(str::to_owned).filter(|name| !name.is_empty()).collect();
    (text("domain"), sans, info.map(|(name, value)| (name.clone(), value.clone())).collect())
}

#[test]
fn an_application_is_recognised_by_what_the_cloud_shows_of_it() {
    let payload =
        prepare(&json!({}), &named("www.acme.example", &["b.acme.example", "a.acme.example"])).unwrap();
    let (domain, sans, info) = shown(&json_of(&payload));
    let is_shown = |domain: Option<&str>, sans: &[String], info: &Map<String, Value>| {
        evidence::stored(domain, sans, Some(info)).shows(&payload.evidence)
    };
    let domain = domain.as_deref();
    assert!(is_shown(domain, &sans, &info));
    // The cloud may sort the names, repeat the common name, and write it in capitals.
    let sorted = ["WWW.acme.example", "a.acme.example", "b.acme.example"].map(str::to_owned);
    assert!(is_shown(Some("WWW.ACME.EXAMPLE"), &sorted, &info));

    assert!(!is_shown(None, &sans, &info) && !is_shown(Some("acme.example"), &sans, &info));
    assert!(!is_shown(domain, &[], &info) && !is_shown(domain, &sans[..1], &info));
    for name in info.keys() {
        let mut other = info.clone();
        other[name] = json!("other");
        assert!(!is_shown(domain, &sans, &other), "{name}");
        other.remove(name);
        assert!(!is_shown(domain, &sans, &other), "{name}");
    }
}
