//! Certificates that follow others without a call: by a plan, by the flag for automatic renewal, or from the console.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::client::{Setup, setup_with};
use super::order::{CANCEL, ORDER, SUBMIT};
use super::reissue::setup_options;
use crate::tencent::{
    Life, LinkedEnds, MoveError, Options, Plan, Product, Site, Start, Status, Succession, Visibility, Way,
};

const LIST: &str = "DescribeCertificates";
const OLD: &str = "J2lX2maH";

fn service() -> Plan {
    Plan::Subscription { service_id: "svc-1".to_owned() }
}

/// Leaves of 199 days, so that the year in which the tests run makes no difference.
async fn setup(plan: Plan, years: u16, succession: Succession) -> Setup {
    let site = if plan == service() { Site::China } else { Site::International };
    let options = Options { site, succession, life: Life::Days(199), ..Options::default() };
    let setup = setup_options(options).await;
    setup.cloud.set_term(OLD, years, plan).unwrap();
    setup
}

impl Setup {
    async fn all(&self) -> Vec<String> {
        let listed = self.client.call(LIST, &json!({ "Limit": 1000 })).await;
        let id = |item: &Value| item["CertificateId"].as_str().unwrap().to_owned();
        listed["Certificates"].as_array().unwrap().iter().map(id).collect()
    }

    /// The one certificate beside the old one.
    async fn other(&self) -> String {
        let all = self.all().await;
        let [other] = all.iter().filter(|id| *id != OLD).collect::<Vec<_>>()[..] else {
            panic!("not one beside the old one: {all:?}");
        };
        other.clone()
    }

    fn ends(&self, id: &str) -> Timestamp {
        self.cloud.certificate(id).unwrap().issued.unwrap().not_after
    }
}

#[tokio::test]
async fn the_next_certificate_of_a_plan_is_made_thirty_days_before_the_end() {
    let mut setup = setup(Plan::MultiYear, 1, Succession::default()).await;
    setup.leap(168);
    assert_eq!(setup.all().await, [OLD]);
    setup.leap(170);
    let new = setup.other().await;
    let (old_seen, new_seen) = (setup.described(OLD).await, setup.described(&new).await);
    assert_eq!((&old_seen["Status"], &new_seen["Status"]), (&json!(1), &json!(0)));
    assert_eq!(
        (&old_seen["CertificateExtra"]["RenewOrder"], &new_seen["CertificateExtra"]["OriginCertificateId"]),
        (&json!(new), &json!(OLD))
    );
    assert_eq!(setup.listed(OLD).await["HasRenewOrder"], new);
    assert!(setup.listed(&new).await["HasRenewOrder"].is_null());
    assert_eq!(new_seen["DvAuthDetail"]["DvAuths"].as_array().unwrap().len(), 1);
    assert_ne!(new_seen["OrderId"], old_seen["OrderId"]);
    assert!(old_seen["CertificateExtra"].get("ServiceRenewCertificateId").is_none());
    let logs = setup.client.call("DescribeCertificateOperateLogs", &json!({})).await;
    let line = &logs["OperateLogs"][0];
    assert_eq!((&line["Type"], &line["CertId"]), (&json!("multiYearsRenew"), &json!(new)));
    assert_eq!(
        setup.client.code(CANCEL, &json!({ "CertificateId": new })).await,
        "FailedOperation.CertificateCancelFailedMulti"
    );

    setup.cloud.advance(&new).unwrap();
    assert_eq!(setup.cloud.advance(&new).unwrap(), Status::ISSUED);
    let term = setup.cloud.certificate(&new).unwrap().term;
    assert_eq!(Some(setup.ends(&new)), term.ends(), "the rest of the year");
    setup.leap(200);
    assert_eq!((setup.status_of(OLD), setup.status_of(&new)), (3, 1));
    setup.leap(360);
    assert_eq!(setup.all().await.len(), 2, "nothing is paid for after the term");
    setup.leap(370);
    assert_eq!(setup.status_of(&new), 3);
}

#[tokio::test]
async fn a_clock_that_leaps_makes_the_same_successor() {
    let mut setup = setup(Plan::MultiYear, 2, Succession::default()).await;
    setup.leap(400);
    let new = setup.cloud.certificate(&setup.other().await).unwrap();
    let due = setup.ends(OLD).checked_sub(SignedDuration::from_hours(24 * 30)).unwrap();
    assert_eq!((new.bought_at, new.ordered_at), (due, Some(due)));
    assert_eq!(setup.status_of(OLD), 3);
    let listed = setup.listed(&new.id).await;
    assert_eq!(
        (&listed["PreAuditInfo"]["TotalPeriod"], &listed["PreAuditInfo"]["NowPeriod"]),
        (&json!(2), &json!(2))
    );
}

#[tokio::test]
async fn a_plain_purchase_has_no_successor_and_the_flag_buys_one() {
    let mut setup = setup(Plan::Classic, 1, Succession::default()).await;
    assert_eq!(setup.listed(OLD).await["AutoRenewFlag"], 0);
    setup.leap(180);
    assert_eq!(setup.all().await, [OLD]);
    setup.cloud.set_automatic_renewal(OLD, true).unwrap();
    let new = setup.other().await;
    assert_eq!(setup.listed(OLD).await["AutoRenewFlag"], 1);
    assert_eq!(setup.described(&new).await["CertificateExtra"]["OriginCertificateId"], OLD);
    let logs = setup.client.call("DescribeCertificateOperateLogs", &json!({})).await;
    assert_eq!(logs["OperateLogs"][0]["Type"], "renewVIP");
    setup.cloud.issue(&new).unwrap();
    let term = setup.cloud.certificate(&new).unwrap().term;
    assert_eq!(
        term.began,
        Some(setup.cloud.certificate(&new).unwrap().issued.unwrap().not_before),
        "a term of its own"
    );

    let never = Options { succession_days: None, ..Options::default() };
    let mut setup = setup_options(never).await;
    setup.cloud.set_automatic_renewal(OLD, true).unwrap();
    setup.leap(190);
    assert_eq!(setup.all().await, [OLD]);
}

#[tokio::test]
async fn the_subscription_service_shows_itself_in_china_only() {
    let mut setup = setup(service(), 1, Succession::default()).await;
    let listed = setup.listed(OLD).await;
    assert_eq!((&listed["ServiceId"], &listed["ServiceStatus"]), (&json!("svc-1"), &json!("running")));
    assert!(listed["CertServiceEndTime"].as_str() > listed["CertEndTime"].as_str());
    assert_eq!(
        (&listed["CertServiceBeginTime"], &listed["CertServiceValidCertificateCount"]),
        (&listed["CertBeginTime"], &json!(1))
    );
    setup.leap(170);
    let new = setup.other().await;
    setup.buy("plain001", Product::DV_SINGLE);
    let found = setup.client.call(LIST, &json!({ "ServiceId": "svc-1" })).await;
    assert_eq!(found["TotalCount"], 2);
    let (old_seen, new_seen) = (setup.described(OLD).await, setup.described(&new).await);
    assert_eq!(old_seen["CertificateExtra"]["ServiceRenewCertificateId"], new);
    assert_eq!(new_seen["CertificateExtra"]["ServiceOriginCertificateId"], OLD);
    assert!(old_seen["CertificateExtra"]["RenewOrder"].is_null());
    assert!(setup.listed("plain001").await["ServiceId"].is_null());
    setup.cloud.issue(&new).unwrap();
    let detail = setup.client.call("DescribeCertificateDetail", &json!({ "CertificateId": new })).await;
    assert_eq!(detail["CertificateExtra"]["ServiceOriginCertificateId"], OLD);
    assert_eq!((&detail["HostingStatus"], &detail["UseCrossSignRoot"]), (&json!(-1), &json!(true)));
    assert_eq!((&detail["DomainType"], &detail["CertType"]), (&json!(1), &json!("DV")));
    let listed = setup.listed(&new).await;
    assert_eq!(
        (&listed["CertServiceValidCertificateCount"], &listed["IsHostingUploadRenewCert"]),
        (&json!(2), &json!(false))
    );
    setup.leap(340);
    assert_eq!(setup.listed(&new).await["ServiceStatus"], "nearExpire");
    setup.leap(366);
    assert_eq!(setup.listed(&new).await["ServiceStatus"], "expired");

    let abroad = setup_options(Options::default()).await;
    assert_eq!(abroad.client.code(LIST, &json!({ "ServiceId": "svc-1" })).await, "UnknownParameter");
    assert!(abroad.listed(OLD).await.get("ServiceId").is_none());
    let detail = abroad.client.call("DescribeCertificateDetail", &json!({ "CertificateId": OLD })).await;
    assert!(detail.get("HostingStatus").is_none());
}

#[tokio::test]
async fn a_successor_that_is_left_at_its_begin_takes_an_application() {
    let succession = Succession { start: Start::Pending, ..Succession::default() };
    let mut setup = setup(Plan::MultiYear, 1, succession).await;
    setup.leap(170);
    let new = setup.other().await;
    let seen = setup.described(&new).await;
    assert_eq!((&seen["Status"], &seen["Domain"], &seen["OrderId"]), (&json!(5), &Value::Null, &Value::Null));
    assert_eq!(seen["CertificateExtra"]["OriginCertificateId"], OLD);
    let application = super::client::personal_application(&new);
    assert_eq!(setup.client.code(SUBMIT, &application).await, "ok");
    assert_eq!(setup.client.code(ORDER, &json!({ "CertId": new })).await, "ok");
    setup.cloud.issue(&new).unwrap();
    assert!(setup.ends(&new) > setup.ends(OLD));
}

#[tokio::test]
async fn contradictions_between_links_can_be_had() {
    for (ends, forward, back) in [
        (LinkedEnds::Old, true, None),
        (LinkedEnds::New, false, Some(OLD)),
        (LinkedEnds::Neither, false, None),
        (LinkedEnds::Stray("K3mY3nbI".to_owned()), true, Some("K3mY3nbI")),
    ] {
        let mut setup = setup(Plan::MultiYear, 1, Succession { ends, ..Succession::default() }).await;
        setup.leap(170);
        let new = setup.other().await;
        let old_seen = setup.described(OLD).await;
        assert_eq!(old_seen["CertificateExtra"]["RenewOrder"].as_str(), forward.then_some(new.as_str()));
        let new_seen = setup.described(&new).await;
        assert_eq!(new_seen["CertificateExtra"]["OriginCertificateId"].as_str(), back);
        setup.leap(175);
        assert_eq!(setup.other().await, new, "the cloud knows what it made");
    }
    let mut setup =
        setup(Plan::MultiYear, 1, Succession { second_candidate: true, ..Succession::default() }).await;
    setup.leap(170);
    let all = setup.all().await;
    let mut named = Vec::new();
    for id in all.iter().filter(|id| *id != OLD) {
        assert_eq!(setup.described(id).await["CertificateExtra"]["OriginCertificateId"], OLD);
        named.push(id.clone());
    }
    assert_eq!(named.len(), 2);
    let forward = setup.described(OLD).await["CertificateExtra"]["RenewOrder"].take();
    assert!(named.iter().any(|id| forward == **id));
}

#[tokio::test]
async fn a_link_may_vanish_again_and_the_certificate_stays() {
    let visibility = Visibility { for_reads: Some(1), ..Visibility::default() };
    let mut setup = setup(Plan::MultiYear, 1, Succession { visibility, ..Succession::default() }).await;
    setup.leap(170);
    let first = setup.described(OLD).await;
    let new = first["CertificateExtra"]["RenewOrder"].as_str().unwrap().to_owned();
    assert!(setup.described(OLD).await["CertificateExtra"]["RenewOrder"].is_null());
    assert!(setup.listed(OLD).await["HasRenewOrder"].is_null());
    assert_eq!(setup.described(&new).await["Status"], 0);
}

#[tokio::test]
async fn the_console_makes_any_of_them_at_once() {
    let setup = setup(Plan::Classic, 1, Succession::default()).await;
    let by_hand = Succession { start: Start::Pending, ..Succession::default() };
    let new = setup.cloud.make_successor(OLD, Way::PaidRenewal, &by_hand).unwrap();
    assert_eq!(setup.status_of(&new), 5);
    assert_eq!(setup.listed(OLD).await["HasRenewOrder"], new);
    let refused = setup.cloud.make_successor(&new, Way::PaidRenewal, &by_hand);
    assert!(matches!(refused, Err(MoveError::WrongStatus(..))));
    assert!(matches!(
        setup.cloud.make_successor("other", Way::MultiYear, &by_hand),
        Err(MoveError::Unknown(_))
    ));
    let bought = setup_with(Options::default()).await;
    bought.buy(OLD, Product::DV_SINGLE);
    assert!(bought.cloud.make_successor(OLD, Way::Reissue, &by_hand).is_err(), "nothing is issued");
}

#[tokio::test]
async fn a_year_is_covered_by_as_many_leaves_as_the_rules_make_of_it() {
    // A leaf of so many days is followed by the next one 30 days before its end, and the last one ends with the year.
    for (days, leaves) in [(199, 2), (99, 5), (46, 21)] {
        let options = Options { life: Life::Days(days), ..Options::default() };
        let mut setup = setup_options(options).await;
        setup.cloud.set_term(OLD, 1, Plan::MultiYear).unwrap();
        for day in 1..365 {
            setup.leap(day);
            for id in setup.cloud.running() {
                setup.cloud.issue(&id).unwrap();
            }
            assert!(setup.all().await.iter().any(|id| setup.status_of(id) == 1), "{days}: day {day}");
        }
        assert_eq!(setup.all().await.len(), leaves, "{days}");
    }
}
