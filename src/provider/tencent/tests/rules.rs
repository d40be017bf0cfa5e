//! The conditions between the parameters of `CertificateInfoSubmit`.

use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::{
    Application, KeyAlgorithm, Names, application, body, company_application, csr, document, json_of, order,
    prepare,
};
use crate::api::v1alpha1::conditions::Reason;
use crate::core::application::{Contact, Key, Saved, ValidationMethod};
use crate::core::conditions::Problem;
use crate::core::product::{Level, Product};
use crate::provider::tencent::{evidence, request};

fn message(fields: &Value, application: &Application) -> (Reason, String) {
    let problem = prepare(fields, application).unwrap_err();
    (problem.reason, problem.message)
}

#[test]
fn a_person_sends_an_email_address_and_no_organization() {
    let expected = json!({
        "CertId": "J2lX2maH", "GenCsrType": "online", "CsrEncryptAlgo": "RSA", "CsrKeyParameter": "2048",
        "CertCommonName": "www.acme.example", "VerifyType": "DNS", "CompanyType": 1, "CompanyId": "0",
        "ManagerId": "0", "ContactEmail": "me@acme.example",
    });
    assert_eq!(body(&json!({"contactEmail": "me@acme.example"}), &application()), expected);

    // The same with a profile, whose administrator has an address of his own.
    let fields = json!({"companyType": "Personal"});
    assert_eq!(body(&fields, &company_application())["ContactEmail"], "ning@acme.example");
    assert!(body(&fields, &company_application()).get("OrgOrganization").is_none());
}

#[test]
fn a_person_needs_an_email_address_and_the_error_names_the_field() {
    let (reason, message) = message(&json!({}), &application());
    assert_eq!(reason, Reason::InvalidRequest);
    assert!(message.contains("spec.provider.tencentCloud.contactEmail"), "{message}");
}

#[test]
fn a_company_sends_everything_and_the_ids_of_no_saved_profile() {
    let body = body(&json!({}), &company_application());
    let expected = json!({
        "CompanyType": 2, "CompanyId": "0", "ManagerId": "0", "OrgOrganization": "示例科技有限公司",
        "OrgDivision": "Platform", "OrgAddress": "No. 101, Example Road", "OrgCity": "Guangzhou",
        "OrgRegion": "Guangdong", "OrgCountry": "CN", "OrgPhoneArea": "020", "OrgPhoneNumber": "12345678",
        "AdminFirstName": "Ning", "AdminLastName": "Huang", "AdminPhone": "13112341234",
        "AdminEmail": "ning@acme.example", "AdminTitle": "R&D", "TechFirstName": "Wei", "TechLastName": "Chen",
        "TechPhone": "13112345678", "TechEmail": "pki@acme.example", "TechTitle": "Operations",
        "ContactEmail": "pki@acme.example",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(body.get(name), Some(value), "{name}");
    }
}

#[test]
fn a_company_is_the_default_where_a_profile_is_referenced() {
    let mut person = company_application();
    person.profile.as_mut().unwrap().organization = None;
    assert_eq!(body(&json!({}), &company_application())["CompanyType"], 2);
    assert_eq!(body(&json!({"companyType": "Personal"}), &person)["CompanyType"], 1);

    let company = json!({"companyType": "Company"});
    for fields in [&json!({}), &company] {
        let (reason, text) = message(fields, &person);
        assert_eq!(reason, Reason::ProfileIncomplete);
        assert!(text.contains("fill the profile's spec.organization, or set companyType Personal"), "{text}");
    }
    let (reason, text) = message(&company, &application());
    assert_eq!(reason, Reason::InvalidRequest);
    assert!(text.contains("set spec.organizationProfileRef"), "{text}");
}

#[test]
fn everything_that_a_company_lacks_is_named_at_once() {
    let mut application = company_application();
    application.profile.as_mut().unwrap().administrator.phone = None;
    let expected = "the profile's spec.administrator.phone is empty, and Tencent Cloud needs it";
    assert_eq!(message(&json!({}), &application), (Reason::ProfileIncomplete, expected.to_owned()));

    let profile = application.profile.as_mut().unwrap();
    profile.organization.as_mut().unwrap().phone_area_code = Some(" ".to_owned());
    profile.technical_contact = profile.administrator.clone();
    let expected = "the profile's spec.administrator.phone, spec.organization.phone.areaCode are empty, and Tencent \
                    Cloud needs them";
    assert_eq!(message(&json!({}), &application).1, expected);
}

/// The names of the parameters with one of these beginnings.
fn with_prefix(body: &Value, prefixes: &[&str]) -> Vec<String> {
    let names = body.as_object().unwrap().keys();
    names.filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix))).cloned().collect()
}

fn saved(saved: Saved) -> Application {
    let mut application = company_application();
    let profile = application.profile.as_mut().unwrap();
    profile.saved = saved;
    profile.organization.as_mut().unwrap().identification = Some(document("TYDMZ", "11532000000024820"));
    profile.administrator.identification = Some(document("SFZ", "110000000000001242"));
    application
}

fn everything() -> Saved {
    Saved::Everything { organization: 134, administrator: 2345, reviewed: Vec::new() }
}

fn organization_only() -> Saved {
    let without_people = "the manager is not known to Tencent Cloud".to_owned();
    Saved::Organization { id: 134, without_people }
}

#[test]
fn a_saved_manager_stands_for_everything_and_a_saved_company_for_the_organisation() {
    let body_of = |what: Saved| body(&json!({}), &saved(what));
    let all = body_of(everything());
    assert_eq!(
        (&all["CompanyType"], &all["CompanyId"], &all["ManagerId"]),
        (&json!(2), &json!("134"), &json!("2345"))
    );
    assert_eq!(with_prefix(&all, &["Org", "Admin", "Tech", "Contact"]), [""; 0]);

    let company = body_of(organization_only());
    assert_eq!((&company["CompanyId"], &company["ManagerId"]), (&json!("134"), &json!("0")));
    assert_eq!(with_prefix(&company, &["Org"]), [""; 0]);
    let inline = body_of(Saved::No);
    let people = ["Admin", "Tech", "Contact"];
    assert_eq!(with_prefix(&company, &people), with_prefix(&inline, &people));
    assert_eq!(with_prefix(&inline, &["Org"]).len(), 10);

    let not_usable = body_of(Saved::NotUsable("it is not approved".to_owned()));
    assert_eq!(not_usable, inline, "the same bytes");
    let contact = json!({"contactEmail": "pki@acme.example"});
    assert_eq!(body(&contact, &saved(everything()))["ContactEmail"], "pki@acme.example");
}

#[test]
fn a_person_names_no_saved_profile() {
    let person = body(&json!({"companyType": "Personal"}), &saved(everything()));
    assert_eq!((&person["CompanyId"], &person["ManagerId"]), (&json!("0"), &json!("0")));
    let problem = Problem::new(Reason::ProfileInReview, "waits");
    let held = saved(Saved::Held(problem.clone()));
    assert!(prepare(&json!({"companyType": "Personal"}), &held).is_ok(), "it waits for no review");
    assert_eq!(prepare(&json!({}), &held).unwrap_err(), problem);
}

#[test]
fn ids_need_no_data_and_what_they_do_not_cover_is_named() {
    let mut bare = saved(everything());
    let profile = bare.profile.as_mut().unwrap();
    profile.organization = None;
    profile.administrator = Contact { path: "spec.administrator", ..Contact::default() };
    profile.technical_contact = profile.administrator.clone();
    assert_eq!(body(&json!({}), &bare)["ManagerId"], "2345");

    let mut without_phone = saved(organization_only());
    let profile = without_phone.profile.as_mut().unwrap();
    profile.organization = None;
    profile.administrator.phone = None;
    let expected =
        "the profile's spec.administrator.phone is empty, and the manager is not known to Tencent Cloud";
    assert_eq!(message(&json!({}), &without_phone), (Reason::ProfileIncomplete, expected.to_owned()));

    let mut not_usable = saved(Saved::NotUsable("the company is not known to Tencent Cloud".to_owned()));
    not_usable.profile.as_mut().unwrap().organization = None;
    let (reason, text) = message(&json!({}), &not_usable);
    assert!(reason == Reason::ProfileIncomplete && text.contains("the company is not known"), "{text}");
}

#[test]
fn the_hash_is_that_of_the_sent_bytes_and_ids_are_no_whole_evidence() {
    let prepared = |what: Saved| prepare(&json!({}), &saved(what)).unwrap();
    let (inline, unused) = (prepared(Saved::No), prepared(Saved::NotUsable("it is not approved".to_owned())));
    assert_eq!((&inline.fingerprint, &inline.evidence), (&unused.fingerprint, &unused.evidence));
    let (all, company) = (prepared(everything()), prepared(organization_only()));
    assert!(
        all.fingerprint != inline.fingerprint
            && company.fingerprint != inline.fingerprint
            && all.fingerprint != company.fingerprint
    );
    let reviewed = Saved::Everything { organization: 134, administrator: 2345, reviewed: vec![Level::Ov] };
    assert_eq!(prepared(reviewed).fingerprint, all.fingerprint, "what the review covers is not sent");
    assert!(all.evidence.is_partial() && company.evidence.is_partial() && !inline.evidence.is_partial());
    assert_eq!(all.redacted["ManagerId"], "2345");
}

#[test]
fn a_key_of_the_cloud_has_both_algorithms_and_a_csr_has_none() {
    let keys = [
        (KeyAlgorithm::Rsa(2048), "RSA", "2048"),
        (KeyAlgorithm::Rsa(4096), "RSA", "4096"),
        (KeyAlgorithm::Ecdsa(256), "ECC", "prime256v1"),
    ];
    let mut application = company_application();
    for (key, family, parameter) in keys {
        application.key = Key::Cloud(key);
        let body = body(&json!({}), &application);
        assert_eq!((&body["CsrEncryptAlgo"], &body["CsrKeyParameter"]), (&json!(family), &json!(parameter)));
        assert_eq!(body["GenCsrType"], "online");
    }
    for key in [KeyAlgorithm::Rsa(3072), KeyAlgorithm::Ecdsa(384)] {
        application.key = Key::Cloud(key);
        let (reason, text) = message(&json!({}), &application);
        assert!(reason == Reason::InvalidRequest && text.contains(&key.to_string()), "{text}");
    }
    let csr = csr();
    application.key = Key::Csr(csr.clone());
    let body = body(&json!({}), &application);
    assert_eq!((&body["GenCsrType"], &body["Csr"]), (&json!("parse"), &json!(csr.pem().trim())));
    assert!(body.get("CsrEncryptAlgo").is_none() && body.get("CsrKeyParameter").is_none());
}

#[test]
fn validation_by_mail_is_refused() {
    let application = Application { validation: ValidationMethod::Email, ..company_application() };
    let (reason, text) = message(&json!({}), &application);
    assert!(reason == Reason::InvalidRequest && text.contains("spec.validation.method"), "{text}");
}

#[test]
fn nothing_that_is_not_set_is_sent() {
    let fields = body(&json!({}), &company_application());
    let optional =
        ["DnsNames", "Csr", "KeyPass", "AutoRenewFlag", "CaType", "SignAlgo", "UseCrossSignRoot", "Type"];
    for name in optional.iter().chain(&["OrgIdType", "OrgIdNumber", "AdminIdType", "TechIdNumber"]) {
        assert!(fields.get(name).is_none(), "{name}");
    }
    let blank = json!({"caType": " ", "signAlgorithm": ""});
    assert_eq!(body(&blank, &company_application()), fields);
}

#[test]
fn numbers_and_flags_have_their_types() {
    let fields = json!({"autoRenew": true, "useCrossSignRoot": false, "type": 3});
    let body = body(&fields, &company_application());
    assert_eq!(
        (&body["AutoRenewFlag"], &body["UseCrossSignRoot"], &body["Type"]),
        (&json!(1), &json!(false), &json!(3))
    );
}

#[test]
fn the_common_name_is_not_among_the_further_names() {
    let names = ["b.acme.example", "www.acme.example", "a.acme.example"].map(str::to_owned);
    let application =
        Application { names: Names::parse("www.acme.example", &names).unwrap(), ..company_application() };
    assert_eq!(body(&json!({}), &application)["DnsNames"], json!(["b.acme.example", "a.acme.example"]));
}

#[test]
fn what_the_product_does_not_cover_is_refused_before_it_is_sent() {
    let names = |common_name, others: &[&str]| {
        let others: Vec<_> = others.iter().map(|name| (*name).to_owned()).collect();
        Application { names: Names::parse(common_name, &others).unwrap(), ..company_application() }
    };
    let (one, two) = (names("www.acme.example", &[]), names("www.acme.example", &["api.acme.example"]));
    let (wildcard, six) = (names("*.acme.example", &[]), names("a.b", &["c.d", "e.f", "g.h", "i.j", "k.l"]));
    let product = |names, wildcard, domain_validated| Product {
        name: Some("SecureSite OV".to_owned()),
        domain_validated,
        wildcard,
        names,
        ..Product::default()
    };
    let personal = json!({"companyType": "Personal"});
    let nothing = json!({});
    let cases = [
        (&nothing, &two, Product::default(), None),
        (&nothing, &one, product(Some(1), Some(false), Some(false)), None),
        (&nothing, &two, product(Some(1), None, None), Some("covers one name: remove spec.dnsNames")),
        (&nothing, &two, product(Some(5), None, None), None),
        (
            &nothing,
            &six,
            product(Some(5), None, None),
            Some("covers 5 names, and spec.commonName and spec.dnsNames are 6"),
        ),
        (&nothing, &wildcard, product(Some(1), Some(true), None), None),
        (
            &nothing,
            &wildcard,
            product(None, Some(false), None),
            Some("covers no wildcard names such as *.acme.example"),
        ),
        (&personal, &one, product(None, None, Some(true)), None),
        (&personal, &one, product(None, None, Some(false)), Some("is for organizations")),
        (&nothing, &one, product(None, None, Some(true)), None),
    ];
    for (fields, application, product, problem) in cases {
        let prepared = request::prepare(&order(fields), application, Some(&product)).map(drop);
        match (prepared, problem) {
            (Ok(()), None) => {}
            (Err(found), Some(expected)) => {
                let begin = "the paid certificate (SecureSite OV) ";
                assert_eq!(found.reason, Reason::InvalidRequest);
                assert!(found.message.starts_with(&format!("{begin}{expected}")), "{found}");
            }
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    }
}

/// An application with every kind of secret in it.
fn secretive() -> Application {
    let mut application = company_application();
    application.key_password = Some("correct horse".into());
    let profile = application.profile.as_mut().unwrap();
    profile.organization.as_mut().unwrap().identification = Some(document("TYDMZ", "111111111111110000"));
    profile.administrator.identification = Some(document("SFZ", "110000000000000001"));
    profile.technical_contact.identification = Some(document("SFZ", "110000000000000002"));
    application
}

#[test]
fn bytes_and_hash_are_the_same_every_time_and_are_those_of_every_release() {
    let (one, two) = (prepare(&json!({}), &secretive()).unwrap(), prepare(&json!({}), &secretive()).unwrap());
    assert_eq!(one.body.expose_secret(), two.body.expose_secret());
    // The hash is stored: with a release that changes it, every running order would count as edited.
    assert_eq!(
        one.fingerprint.plain(),
        "sha256:ff39b4716a93f77092a9150362c47ceae430e8a168daa29bf1332386545e3eef"
    );
    assert_eq!(two.fingerprint, one.fingerprint);
}

#[test]
fn the_hash_differs_between_requests_but_not_between_their_secrets() {
    let hash = |application: &Application| prepare(&json!({}), application).unwrap().fingerprint;
    let before = hash(&secretive());

    let mut guess = secretive();
    guess.key_password = Some("battery staple".into());
    guess.profile.as_mut().unwrap().administrator.identification =
        Some(document("SFZ", "110000000000000009"));
    assert_eq!(hash(&guess), before);

    let mut without = secretive();
    without.key_password = None;
    assert_ne!(hash(&without), before);
    let mut other = secretive();
    other.profile.as_mut().unwrap().administrator.email = Some("other@acme.example".into());
    assert_ne!(hash(&other), before);
}

#[test]
fn people_see_the_request_without_personal_data_and_secrets() {
    let application = secretive();
    let payload = prepare(&json!({}), &application).unwrap();
    let shown = payload.redacted.to_string();
    for value in application.sensitive() {
        assert!(!shown.contains(value.expose_secret()), "{shown}");
    }
    assert_eq!(payload.redacted["OrgOrganization"], "示例科技有限公司");
    assert_eq!(payload.redacted["AdminEmail"], "***");
    assert_eq!(payload.redacted["KeyPass"], "***");
    let names = |json: &Value| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let sent = json_of(&payload);
    assert_eq!(names(&payload.redacted), names(&sent));
    assert!(!format!("{payload:?}").contains("ning@acme.example"));
}

/// What `DescribeCertificate` shows of an application, by the names of the older action.
fn stored_form(sent: &Value) -> Map<String, Value> {
    let renamed = |name: &str| match name {
        "GenCsrType" => "CsrType".to_owned(),
        "Csr" => "CsrContent".to_owned(),
        "CertCommonName" => "CertificateDomain".to_owned(),
        "DnsNames" => "DomainList".to_owned(),
        "KeyPass" => "KeyPassword".to_owned(),
        "OrgPhoneArea" => "PhoneAreaCode".to_owned(),
        "OrgPhoneNumber" => "PhoneNumber".to_owned(),
        "OrgOrganization" => "OrganizationName".to_owned(),
        "AdminPhone" => "AdminPhoneNum".to_owned(),
        "AdminTitle" => "AdminPosition".to_owned(),
        "TechPhone" => "ContactNumber".to_owned(),
        "TechTitle" => "ContactPosition".to_owned(),
        other => other.replace("Org", "Organization").replace("Tech", "Contact"),
    };
    sent.as_object().unwrap().iter().map(|(name, value)| (renamed(name), value.clone())).collect()
}

#[test]
fn an_application_is_recognised_by_what_the_cloud_stores_of_it() {
    let mut application = secretive();
    application.names =
        Names::parse("www.acme.example", &["b.acme.example".into(), "a.acme.example".into()]).unwrap();
    application.key = Key::Csr(csr());
    let payload = prepare(&json!({}), &application).unwrap();
    let mut stored = stored_form(&json_of(&payload));
    assert!(evidence::stored(&stored).shows(&payload.evidence));

    // The cloud may sort the names, repeat the common name, and write the CSR with other line ends.
    stored["DomainList"] = json!(["www.acme.example", "a.acme.example", "b.acme.example"]);
    stored["CsrContent"] = json!(stored["CsrContent"].as_str().unwrap().replace('\n', "\r\n"));
    assert!(evidence::stored(&stored).shows(&payload.evidence));

    for (name, _) in stored_form(&json_of(&payload)) {
        let compared = !["CertId", "CompanyType", "CompanyId", "ManagerId", "KeyPassword"]
            .contains(&name.as_str())
            && !name.contains("Id");
        let mut other = stored.clone();
        other[&name] = json!("other");
        assert_eq!(!evidence::stored(&other).shows(&payload.evidence), compared, "{name}");
    }
}

#[test]
fn an_application_for_a_key_of_the_cloud_contradicts_one_with_a_csr_and_the_two_words_for_that_are_one() {
    let with_csr = Application { key: Key::Csr(csr()), ..company_application() };
    let sent = prepare(&json!({}), &with_csr).unwrap();
    for (word, wanted) in
        [("parse", vec![]), ("Upload", vec![]), ("online", vec!["CsrType"]), ("new", vec![])]
    {
        let mut stored = stored_form(&json_of(&sent));
        stored["CsrType"] = json!(word);
        stored.remove("CsrContent");
        assert_eq!(evidence::stored(&stored).contradictions(&sent.evidence), wanted, "{word}");
        assert_eq!(evidence::stored(&stored).fixed_contradictions(&sent.evidence), wanted, "{word}");
    }
    let by_the_cloud = prepare(&json!({}), &company_application()).unwrap();
    let stored = evidence::stored(&stored_form(&json_of(&sent)));
    assert_eq!(stored.contradictions(&by_the_cloud.evidence), ["CsrType"]);
}

#[test]
fn an_application_for_fewer_names_is_another_one() {
    let more = Application {
        names: Names::parse("www.acme.example", &["a.acme.example".to_owned()]).unwrap(),
        ..company_application()
    };
    let fewer = prepare(&json!({}), &company_application()).unwrap();
    let stored =
        |application| evidence::stored(&stored_form(&json_of(&prepare(&json!({}), application).unwrap())));
    assert!(!stored(&more).shows(&fewer.evidence));
    assert!(stored(&company_application()).shows(&fewer.evidence));

    let mut nothing_as_the_cloud_writes_it = stored_form(&json_of(&fewer));
    nothing_as_the_cloud_writes_it.insert("DomainList".to_owned(), json!([""]));
    assert!(evidence::stored(&nothing_as_the_cloud_writes_it).shows(&fewer.evidence));
}
