//! `ReplaceCertificate`: what it takes, when it refuses, what becomes of the old certificate and of the new one.

use jiff::SignedDuration;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};

use super::client::{Setup, personal_application, setup_with, with};
use super::order::{CANCEL, ORDER, SUBMIT, WRONG_STATUS};
use crate::{
    clock,
    tencent::{
        Fault, LinkedEnds, Options, Product, ProofRule, ReissueRules, ReissuedEnd, RevocationRule, Side,
        Site, Source, Status, Succession, Visibility, Way,
    },
};

const REPLACE: &str = "ReplaceCertificate";
const REVOKE: &str = "RevokeCertificate";
const REPLACED: &str = "FailedOperation.OrderAlreadyReplaced";
const OLD: &str = "J2lX2maH";

fn replace() -> Value {
    json!({ "CertificateId": OLD, "ValidType": "DNS" })
}

/// A CSR for this name by this key.
fn csr(name: &str, key: &KeyPair) -> String {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serialize_request(key).unwrap().pem().unwrap()
}

fn new_csr() -> String {
    csr("www.acme.example", &KeyPair::generate().unwrap())
}

fn upload(csr: &str) -> Value {
    with(&replace(), &json!({ "CsrType": "upload", "CsrContent": csr }))
}

impl Setup {
    /// Moves the cloud's clock, and the client's with it.
    pub(super) fn leap(&mut self, days: i64) {
        let ahead = SignedDuration::from_hours(24 * days);
        self.cloud.set_clock_ahead(ahead);
        self.client.timestamp = Some(clock::now().checked_add(ahead).unwrap());
    }

    /// A certificate with this id and name, issued.
    pub(super) async fn issued_as(&self, id: &str, product: Product, changes: &Value) {
        self.buy(id, product);
        let application = with(&with(&personal_application(OLD), changes), &json!({ "CertId": id }));
        assert_eq!(self.client.code(SUBMIT, &application).await, "ok");
        assert_eq!(self.client.code(ORDER, &json!({ "CertId": id })).await, "ok");
        self.cloud.issue(id).unwrap();
    }

    pub(super) async fn described(&self, id: &str) -> Value {
        self.client.call("DescribeCertificate", &json!({ "CertificateId": id })).await
    }

    pub(super) async fn listed(&self, id: &str) -> Value {
        self.client.call("DescribeCertificates", &json!({ "CertIds": [id] })).await["Certificates"][0].take()
    }

    /// Asks for a reissue; the id of the new certificate.
    async fn replaced(&self, body: &Value) -> String {
        self.client.call(REPLACE, body).await["CertificateId"].as_str().unwrap().to_owned()
    }

    async fn log(&self) -> Vec<(String, String)> {
        let logs = self.client.call("DescribeCertificateOperateLogs", &json!({})).await;
        let text = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
        let lines = logs["OperateLogs"].as_array().unwrap().iter();
        lines.map(|line| (text(line, "Type"), text(line, "CertId"))).collect()
    }

    pub(super) fn status_of(&self, id: &str) -> i64 {
        self.cloud.certificate(id).unwrap().status.0
    }
}

pub(super) async fn setup_reissue(rules: ReissueRules) -> Setup {
    setup_options(Options { reissue: rules, ..Options::default() }).await
}

/// With a certificate that is issued.
pub(super) async fn setup_options(options: Options) -> Setup {
    let setup = setup_with(Options { calls_per_second: None, ..options }).await;
    setup.issued_as(OLD, Product::DV_SINGLE, &json!({})).await;
    setup
}

#[tokio::test]
async fn a_reissue_gets_a_new_id_the_old_key_and_the_old_end() {
    let setup = setup_reissue(ReissueRules::default()).await;
    let new = setup.replaced(&with(&replace(), &json!({ "Reason": "renewal", "CsrType": "original" }))).await;
    assert_ne!(new, OLD);
    let (old_seen, new_seen) = (setup.described(OLD).await, setup.described(&new).await);
    assert_eq!((&old_seen["Status"], &new_seen["Status"]), (&json!(1), &json!(11)));
    assert_eq!(old_seen["CertificateExtra"]["ReplacedFor"], new);
    assert!(old_seen["CertificateExtra"]["ReplacedBy"].is_null());
    assert_eq!(new_seen["CertificateExtra"]["ReplacedBy"], OLD);
    assert!(new_seen["CertificateExtra"]["ReplacedFor"].is_null());
    assert_eq!((&new_seen["DvAuthDetail"], &new_seen["CertEndTime"]), (&Value::Null, &Value::Null));
    assert_eq!(new_seen["SubjectAltName"], json!(["www.acme.example"]));
    assert_eq!(setup.cloud.running(), [new.as_str()]);
    assert_eq!(setup.log().await[0], ("replace".to_owned(), OLD.to_owned()));

    assert_eq!(setup.cloud.advance(&new).unwrap(), Status::ISSUED, "without a proof, at once");
    let [old, new] = [OLD, &new].map(|id| setup.cloud.certificate(id).unwrap().issued.unwrap());
    assert_eq!(old.not_after, new.not_after);
    assert_eq!(old.private_key_pem(), new.private_key_pem());
    assert_ne!(old.leaf, new.leaf);
    assert_eq!(setup.cloud.calls_for(OLD).last().unwrap().action, "DescribeCertificate");
}

#[tokio::test]
async fn its_parameters_are_checked() {
    let setup = setup_reissue(ReissueRules::default()).await;
    let change = |changes: Value| with(&replace(), &changes);
    let online = |algorithm: &str, parameter: &str| {
        change(json!({
            "CsrType": "online", "CertCSREncryptAlgo": algorithm, "CertCSRKeyParameter": parameter,
        }))
    };
    let algorithm = "InvalidParameter.RenewAlgorithmInvalid";
    let invalid = "FailedOperation.InvalidParam";
    for (body, code) in [
        (json!({ "CertificateId": OLD }), "MissingParameter"),
        (json!({ "ValidType": "DNS" }), "MissingParameter"),
        (change(json!({ "CertificateId": "other" })), "FailedOperation.CertificateNotFound"),
        (change(json!({ "ValidType": "EMAIL" })), "InvalidParameterValue"),
        (change(json!({ "CsrType": "Upload" })), "InvalidParameterValue"),
        (change(json!({ "CsrType": "parse" })), "InvalidParameterValue"),
        (change(json!({ "CsrType": "upload" })), invalid),
        (change(json!({ "CsrContent": new_csr() })), invalid),
        (upload("nothing"), invalid),
        (upload(&csr("other.acme.example", &KeyPair::generate().unwrap())), invalid),
        (online("RSA", "1024"), algorithm),
        (online("ECC1", "prime256v1"), algorithm),
        (online("SM2", ""), algorithm),
        (change(json!({ "CsrKeyPassword": "x" })), "UnknownParameter"),
        (change(json!({ "SignAlgo": "x" })), "UnknownParameter"),
        (change(json!({ "UseCrossSignRoot": true })), "UnknownParameter"),
        (change(json!({ "Reason": 1 })), "InvalidParameter"),
    ] {
        assert_eq!(setup.client.code(REPLACE, &body).await, code, "{body}");
    }
    assert_eq!(setup.status_of(OLD), 1);
    assert!(setup.cloud.ledger().iter().all(|call| call.action != REPLACE || !call.took_effect));
    setup.cloud.set_identity_verified(&setup.account, false);
    assert_eq!(setup.client.code(REPLACE, &replace()).await, "FailedOperation.NoRealNameAuth");
}

#[tokio::test]
async fn every_documented_key_is_taken() {
    for (changes, kind) in [
        (json!({ "CsrType": "online" }), "RSA"),
        (
            json!({ "CsrType": "online", "CertCSREncryptAlgo": "ECC", "CertCSRKeyParameter": "secp384r1" }),
            "ECC",
        ),
        (json!({ "ValidType": "FILE", "CsrkeyPassword": "secret", "CsrType": "online" }), "RSA"),
    ] {
        let setup = setup_reissue(ReissueRules::default()).await;
        let new = setup.replaced(&with(&replace(), &changes)).await;
        let stored = setup.cloud.certificate(&new).unwrap().submission.unwrap();
        assert_eq!((stored.text("GenCsrType"), stored.text("CsrEncryptAlgo")), (Some("online"), Some(kind)));
        assert_eq!(setup.cloud.advance(&new).unwrap(), Status::UNDER_REVIEW);
        assert!(setup.described(&new).await["DvAuthDetail"].is_object(), "another key wants a proof");
    }
    let china = Options { site: Site::China, ..Options::default() };
    let setup = setup_options(china).await;
    let more = json!({ "SignAlgo": "SHA256", "UseCrossSignRoot": false });
    assert_eq!(setup.client.code(REPLACE, &with(&replace(), &more)).await, "ok");
}

#[tokio::test]
async fn a_new_key_wants_new_proofs_and_the_same_key_none_unless_the_rules_say_so() {
    let key = KeyPair::generate().unwrap();
    let same = csr("www.acme.example", &key);
    let application = json!({
        "GenCsrType": "parse", "Csr": same, "CsrEncryptAlgo": null, "CsrKeyParameter": null,
    });
    for (rule, body, wanted) in [
        (ProofRule::NewKey, upload(&new_csr()), true),
        (ProofRule::NewKey, upload(&csr("www.acme.example", &key)), false),
        (ProofRule::NewKey, replace(), false),
        (ProofRule::Never, upload(&new_csr()), false),
        (ProofRule::Always, replace(), true),
    ] {
        let options = Options {
            reissue: ReissueRules { proof: rule, ..ReissueRules::default() },
            calls_per_second: None,
            ..Options::default()
        };
        let setup = setup_with(options).await;
        setup.issued_as(OLD, Product::DV_SINGLE, &application).await;
        let new = setup.replaced(&body).await;
        let status = setup.cloud.advance(&new).unwrap();
        assert_eq!(status == Status::UNDER_REVIEW, wanted, "{rule:?} {body}");
        if wanted {
            let seen = setup.described(&new).await;
            let auth = &seen["DvAuthDetail"]["DvAuths"][0];
            assert_eq!(
                (&auth["DvAuthKey"], &seen["StatusMsg"]),
                (&json!("_dnsauth.www.acme.example"), &json!("PENDING-DCV"))
            );
            assert_eq!(setup.cloud.advance(&new).unwrap(), Status::UNDER_REVIEW);
            assert_eq!(setup.cloud.advance(&new).unwrap(), Status::ISSUED);
        }
        assert!(setup.cloud.certificate(&new).unwrap().issued.unwrap().private_key.is_none());
    }
}

#[tokio::test]
async fn only_an_issued_certificate_of_this_cloud_with_days_left_is_reissued() {
    let mut setup = setup_reissue(ReissueRules::default()).await;
    for status in [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14] {
        setup.force(Status(status));
        assert_eq!(setup.client.code(REPLACE, &replace()).await, WRONG_STATUS, "{status}");
        assert_eq!(setup.described(OLD).await["RenewAble"], false);
    }
    setup.force(Status::ISSUED);
    assert_eq!(setup.described(OLD).await["RenewAble"], true);
    setup.cloud.set(OLD, |certificate| certificate.source = Source::Uploaded).unwrap();
    assert_eq!(setup.client.code(REPLACE, &replace()).await, "FailedOperation.InvalidCertificateSource");
    setup.cloud.set(OLD, |certificate| certificate.source = Source::Bought).unwrap();
    setup.leap(170);
    assert_eq!(setup.client.code(REPLACE, &replace()).await, WRONG_STATUS);
    let (described, listed) = (setup.described(OLD).await, setup.listed(OLD).await);
    assert_eq!((&described["RenewAble"], &listed["RenewAble"]), (&json!(false), &json!(true)));
    assert_eq!(listed["IsExpiring"], true);
    setup.leap(168);
    assert_eq!(setup.listed(OLD).await["IsExpiring"], false);
    assert_eq!(setup.client.code(REPLACE, &replace()).await, "ok");

    let mut setup = setup_reissue(ReissueRules { bar_days: 0, ..ReissueRules::default() }).await;
    setup.leap(198);
    assert_eq!(setup.client.code(REPLACE, &replace()).await, "ok");
    let mut setup = setup_reissue(ReissueRules { bar_days: 90, ..ReissueRules::default() }).await;
    setup.leap(110);
    assert_eq!(setup.client.code(REPLACE, &replace()).await, WRONG_STATUS);
}

#[tokio::test]
async fn a_certificate_is_reissued_once_and_the_new_one_is_next() {
    let setup = setup_reissue(ReissueRules::default()).await;
    let new = setup.replaced(&replace()).await;
    assert_eq!(setup.client.code(REPLACE, &replace()).await, REPLACED);
    let next = with(&replace(), &json!({ "CertificateId": new }));
    assert_eq!(setup.client.code(REPLACE, &next).await, WRONG_STATUS);
    setup.cloud.advance(&new).unwrap();
    assert_eq!(setup.client.code(REPLACE, &replace()).await, REPLACED);
    let third = setup.replaced(&next).await;
    assert_eq!(setup.described(&third).await["CertificateExtra"]["ReplacedBy"], new);

    let free = Options { calls_per_second: None, ..Options::default() };
    let setup = setup_with(free).await;
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    setup.issued_as(OLD, Product::FREE_DV, &json!({})).await;
    let algorithm = "InvalidParameter.RenewAlgorithmInvalid";
    assert_eq!(setup.client.code(REPLACE, &upload(&new_csr())).await, algorithm);
    let new = setup.replaced(&upload(&csr("www.acme.example", &key))).await;
    setup.cloud.issue(&new).unwrap();
    let next = with(&replace(), &json!({ "CertificateId": new }));
    assert_eq!(setup.client.code(REPLACE, &next).await, "FailedOperation.ExceedsFreeLimit");
}

#[tokio::test]
async fn after_a_failed_run_the_rules_say_whether_there_may_be_another() {
    for (again, clears, code) in [(true, false, "ok"), (true, true, "ok"), (false, true, REPLACED)] {
        let rules = ReissueRules {
            again_after_failure: again,
            failure_clears_link: clears,
            proof: ProofRule::Always,
            ..ReissueRules::default()
        };
        let setup = setup_reissue(rules).await;
        let new = setup.replaced(&replace()).await;
        setup.cloud.reject(&new, "the domain was not validated").unwrap();
        assert_eq!((setup.status_of(&new), setup.status_of(OLD)), (2, 1));
        assert_eq!(setup.described(OLD).await["CertificateExtra"]["ReplacedFor"].is_null(), clears);
        assert_eq!(setup.described(&new).await["CertificateExtra"]["ReplacedBy"], OLD);
        assert_eq!(setup.client.code(REPLACE, &replace()).await, code, "{again} {clears}");
    }
    // One that its owner stops has failed, too.
    let setup = setup_reissue(ReissueRules { proof: ProofRule::Always, ..ReissueRules::default() }).await;
    let new = setup.replaced(&replace()).await;
    setup.cloud.advance(&new).unwrap();
    assert_eq!(setup.client.code(CANCEL, &json!({ "CertificateId": new })).await, "ok");
    assert_eq!(setup.client.code(REPLACE, &replace()).await, REPLACED);
    setup.cloud.finish_cancel(&new).unwrap();
    assert_eq!((setup.status_of(&new), setup.status_of(OLD)), (7, 1));
    assert_eq!(setup.client.code(REPLACE, &replace()).await, "ok");
}

#[tokio::test]
async fn one_run_at_a_time_under_a_registered_domain_unless_the_rules_say_so() {
    for (serialised, code) in [(true, WRONG_STATUS), (false, "ok")] {
        let rules = ReissueRules { one_per_registered_domain: serialised, ..ReissueRules::default() };
        let setup = setup_reissue(rules).await;
        let sibling = json!({ "CertCommonName": "api.acme.example" });
        setup.issued_as("sibling1", Product::DV_SINGLE, &sibling).await;
        let stranger = json!({ "CertCommonName": "www.other.example" });
        setup.issued_as("strange1", Product::DV_SINGLE, &stranger).await;
        let of = |id: &str| with(&replace(), &json!({ "CertificateId": id }));
        let new = setup.replaced(&replace()).await;
        assert_eq!(setup.client.code(REPLACE, &of("strange1")).await, "ok");
        assert_eq!(setup.client.code(REPLACE, &of("sibling1")).await, code);
        if serialised {
            setup.cloud.advance(&new).unwrap();
            assert_eq!(setup.client.code(REPLACE, &of("sibling1")).await, "ok");
        }
    }
}

#[tokio::test]
async fn which_side_shows_that_it_runs_is_a_rule() {
    for (side, while_it_runs) in [(Some(Side::New), (1, 11)), (Some(Side::Old), (11, 0)), (None, (1, 0))] {
        let rules = ReissueRules {
            shows_11: side,
            logged_for: Side::New,
            proof: ProofRule::Always,
            ..ReissueRules::default()
        };
        let setup = setup_reissue(rules).await;
        let new = setup.replaced(&replace()).await;
        assert_eq!((setup.status_of(OLD), setup.status_of(&new)), while_it_runs, "{side:?}");
        assert_eq!(setup.cloud.running(), [new.as_str()]);
        assert_eq!(setup.log().await[0], ("replace".to_owned(), new.clone()));
        assert_eq!(setup.client.code(REPLACE, &replace()).await, REPLACED);
        let archive = setup.client.code("DownloadCertificate", &json!({ "CertificateId": OLD })).await;
        assert_eq!(archive, "ok", "the old one is as good as before");
        while setup.status_of(&new) != 1 {
            setup.cloud.advance(&new).unwrap();
        }
        assert_eq!(setup.status_of(OLD), 1);
    }
    let rules = ReissueRules { shows_11: Some(Side::Old), ..ReissueRules::default() };
    let setup = setup_reissue(rules).await;
    let new = setup.replaced(&replace()).await;
    setup.cloud.reject(&new, "failed").unwrap();
    assert_eq!(setup.status_of(OLD), 1);
}

#[tokio::test]
async fn the_reissued_leaf_ends_with_the_old_one_or_as_a_new_one_within_the_term() {
    let days = async |end: ReissuedEnd, leap: i64| {
        let mut setup = setup_reissue(ReissueRules { end, ..ReissueRules::default() }).await;
        let old = setup.cloud.certificate(OLD).unwrap().issued.unwrap();
        setup.leap(leap);
        let new = setup.replaced(&replace()).await;
        setup.cloud.issue(&new).unwrap();
        let new = setup.cloud.certificate(&new).unwrap().issued.unwrap();
        new.not_after.duration_since(old.not_after).as_hours() / 24
    };
    assert_eq!(days(ReissuedEnd::SameAsOld, 100).await, 0);
    // The rules of the authorities change within this time: what is looked at is only that it goes on.
    assert!(days(ReissuedEnd::NewLeaf, 160).await > 0);
    let options = Options {
        life: crate::tencent::Life::Days(199),
        reissue: ReissueRules { end: ReissuedEnd::NewLeaf, bar_days: 0, ..ReissueRules::default() },
        ..Options::default()
    };
    let mut setup = setup_options(options).await;
    let mut last = OLD.to_owned();
    for leap in [198, 364] {
        setup.leap(leap);
        last = setup.replaced(&with(&replace(), &json!({ "CertificateId": last }))).await;
        setup.cloud.issue(&last).unwrap();
    }
    let last = setup.cloud.certificate(&last).unwrap();
    assert_eq!(Some(last.issued.unwrap().not_after), last.term.ends(), "a year is paid for");
}

#[tokio::test]
async fn links_come_late_and_one_sided_if_the_rules_say_so() {
    let rules = |links: Succession| ReissueRules { links, ..ReissueRules::default() };
    let seen = async |setup: &Setup, new: &str| {
        let extra = |seen: Value, name: &str| seen["CertificateExtra"][name].as_str().map(str::to_owned);
        let forward = extra(setup.described(OLD).await, "ReplacedFor");
        (forward, extra(setup.listed(new).await, "ReplacedBy"))
    };
    let visibility = Visibility { after_reads: 2, for_reads: Some(1), ..Visibility::default() };
    let setup = setup_reissue(rules(Succession { visibility, ..Succession::default() })).await;
    let new = setup.replaced(&replace()).await;
    let shown = (Some(new.clone()), Some(OLD.to_owned()));
    for expected in [(None, None), (None, None), shown.clone(), (None, None), (None, None)] {
        assert_eq!(seen(&setup, &new).await, expected);
    }

    let visibility = Visibility { once_issued: true, ..Visibility::default() };
    let setup = setup_reissue(rules(Succession { visibility, ..Succession::default() })).await;
    let new = setup.replaced(&replace()).await;
    assert_eq!(seen(&setup, &new).await, (None, None));
    assert_eq!(setup.client.code(REPLACE, &replace()).await, REPLACED, "the cloud knows it all the same");
    setup.cloud.advance(&new).unwrap();
    assert_eq!(seen(&setup, &new).await, (Some(new), Some(OLD.to_owned())));

    let third = LinkedEnds::Stray("K3mY3nbI".to_owned());
    for (ends, forward, back) in [
        (LinkedEnds::Old, true, None),
        (LinkedEnds::New, false, Some(OLD)),
        (LinkedEnds::Neither, false, None),
        (third, true, Some("K3mY3nbI")),
    ] {
        let setup = setup_reissue(rules(Succession { ends, ..Succession::default() })).await;
        let new = setup.replaced(&replace()).await;
        assert_eq!(seen(&setup, &new).await, (forward.then(|| new.clone()), back.map(str::to_owned)));
    }
}

#[tokio::test]
async fn a_reply_that_is_lost_leaves_a_reissue_that_can_be_found() {
    let setup = setup_reissue(ReissueRules::default()).await;
    setup.cloud.fault(Fault::reply_lost().action(REPLACE));
    assert!(setup.client.send(REPLACE, &replace().to_string()).await.is_err());
    let seen = setup.described(OLD).await;
    let new = seen["CertificateExtra"]["ReplacedFor"].as_str().unwrap();
    assert_eq!(setup.described(new).await["CertificateExtra"]["ReplacedBy"], OLD);
    assert_eq!(setup.client.code(REPLACE, &replace()).await, REPLACED);
    let calls = setup.cloud.calls_for(OLD);
    assert_eq!(calls.iter().filter(|call| call.action == REPLACE && call.took_effect).count(), 1);

    let setup = setup_reissue(ReissueRules::default()).await;
    let code = "FailedOperation.OrderReplaceFailed";
    setup.cloud.fault(Fault::error(code, "The reissue failed.").action(REPLACE).acting(true));
    assert_eq!(setup.client.code(REPLACE, &replace()).await, code);
    assert!(setup.described(OLD).await["CertificateExtra"]["ReplacedFor"].is_string());
}

#[tokio::test]
async fn a_revocation_concerns_the_original_and_with_it_the_reissued() {
    let revocation = |id: &str| json!({ "CertificateId": id, "Reason": "key lost" });
    let failed = "FailedOperation.RevokeFailed";
    for (rule, product, tied) in [
        (RevocationRule::Tied, Product::DV_SINGLE, true),
        (RevocationRule::TiedByBrand, Product::DV_SINGLE, false),
        (RevocationRule::TiedByBrand, Product::DV_DNSPOD, true),
        (RevocationRule::Independent, Product::DV_DNSPOD, false),
    ] {
        let setup =
            setup_with(Options { revocation: rule, calls_per_second: None, ..Options::default() }).await;
        setup.issued_as(OLD, product, &json!({})).await;
        let new = setup.replaced(&replace()).await;
        setup.cloud.advance(&new).unwrap();
        let third = setup.replaced(&with(&replace(), &json!({ "CertificateId": new }))).await;
        setup.cloud.advance(&third).unwrap();
        let code = if tied { failed } else { "ok" };
        assert_eq!(setup.client.code(REVOKE, &revocation(&third)).await, code, "{rule:?}");
        assert_eq!(setup.client.code(REVOKE, &revocation(OLD)).await, "ok");
        assert_eq!((setup.status_of(OLD), setup.status_of(&new)), (9, 1));
        setup.cloud.finish_revocation(OLD).unwrap();
        let status = if tied { (10, 10) } else { (1, 9) };
        assert_eq!((setup.status_of(&new), setup.status_of(&third)), status);
    }
    let mut setup = setup_reissue(ReissueRules::default()).await;
    setup.leap(170);
    assert_eq!(setup.client.code(REVOKE, &revocation(OLD)).await, failed, "in its last month");
}

#[tokio::test]
async fn the_console_reissues_by_the_same_rules_and_deletes() {
    let setup = setup_reissue(ReissueRules { proof: ProofRule::Always, ..ReissueRules::default() }).await;
    let new = setup.cloud.make_successor(OLD, Way::Reissue, &Succession::default()).unwrap();
    assert_eq!((setup.status_of(OLD), setup.status_of(&new)), (1, 11));
    assert_eq!(setup.described(OLD).await["CertificateExtra"]["ReplacedFor"], new);
    assert_eq!(setup.log().await[0], ("replace".to_owned(), new.clone()));
    assert_eq!(setup.client.code(REPLACE, &replace()).await, REPLACED);
    assert_eq!(setup.listed(&new).await["ReplaceOriCertIsDelete"], false);
    assert!(setup.listed(OLD).await["ReplaceOriCertIsDelete"].is_null());
    setup.cloud.delete(OLD).unwrap();
    assert_eq!(setup.listed(&new).await["ReplaceOriCertIsDelete"], true);
    assert_eq!(setup.described(OLD).await["Error"]["Code"], "FailedOperation.CertificateNotFound");
    assert!(setup.cloud.delete(OLD).is_err());
}
