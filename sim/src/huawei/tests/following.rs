//! Certificates that follow others without a call, and what people do in the console about the next one.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::client::{
    ID, Setup, company_application, personal_application, sdk_date, setup, setup_with, with,
};
use crate::{
    clock,
    huawei::{Identity, Life, MoveError, Options, OrderNumber, Plan, Product, Start, Status, Succession},
};

/// A certificate that is issued, with leaves of 199 days, so that the year in which the tests run makes no difference.
async fn issued(plan: Plan, succession: Succession) -> Setup {
    let options = Options { succession, life: Life::Days(199), ..Options::default() };
    let setup = setup_with(options).await;
    setup.applied(Product::DV_SINGLE, &personal_application()).await;
    setup.cloud.issue(ID).unwrap();
    setup.cloud.set_term(ID, 1, plan).unwrap();
    setup
}

impl Setup {
    /// Moves the cloud's clock, and the client's with it.
    fn leap(&mut self, days: i64) {
        let ahead = SignedDuration::from_hours(24 * days);
        self.cloud.set_clock_ahead(ahead);
        self.client.date = Some(sdk_date(clock::now().checked_add(ahead).unwrap()));
    }

    async fn ids(&self, query: &str) -> Vec<String> {
        let listed = self.client.call("GET", query, "").await.body;
        let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
        listed["certificates"].as_array().unwrap().iter().map(id).collect()
    }

    /// The one certificate beside the first one.
    async fn other(&self) -> String {
        let all = self.ids("?limit=50").await;
        let [other] = all.iter().filter(|id| *id != ID).collect::<Vec<_>>()[..] else {
            panic!("not one beside the first one: {all:?}");
        };
        other.clone()
    }

    async fn shown(&self, id: &str) -> Value {
        self.client.call("GET", &format!("/{id}"), "").await.body
    }

    async fn exported(&self, id: &str) -> Value {
        self.client.call("POST", &format!("/{id}/export"), "").await.body
    }
}

#[tokio::test]
async fn the_next_certificate_of_a_term_is_filed_thirty_days_before_the_end() {
    let mut setup = issued(Plan::Subscription, Succession::default()).await;
    setup.leap(168);
    assert_eq!(setup.ids("").await, [ID]);
    setup.leap(170);
    let new = setup.other().await;
    assert_eq!(new.len(), 16);
    let (old_seen, new_seen) = (setup.shown(ID).await, setup.shown(&new).await);
    assert_eq!((&old_seen["status"], &new_seen["status"]), (&json!("ISSUED"), &json!("CHECKING_DOMAIN")));
    for same in ["order_id", "domain", "type", "brand", "domain_type", "application_info"] {
        assert_eq!(old_seen[same], new_seen[same], "{same}");
    }
    assert_eq!((&new_seen["not_after"], &new_seen["fingerprint"]), (&json!(""), &json!("")));
    assert_eq!(new_seen["authentification"].as_array().unwrap().len(), 1);
    assert_eq!(setup.ids("?content=www.acme.example").await, [new.as_str(), ID]);

    while setup.cloud.advance(&new).unwrap() != Status::ISSUED {}
    let [old, later] = [ID, &new].map(|id| setup.cloud.certificate(id).unwrap());
    assert_eq!(later.issued.unwrap().not_after, later.term.ends().unwrap(), "the rest of the year");
    assert_eq!(old.term.began, later.term.began);
    setup.leap(200);
    assert_eq!(setup.shown(ID).await["status"], "EXPIRED");
    assert_eq!(setup.exported(ID).await["error_code"], "SCM.0010");
    setup.leap(360);
    assert_eq!(setup.ids("").await.len(), 2, "nothing is paid for after the term");
}

#[tokio::test]
async fn a_clock_that_leaps_makes_the_same_successor() {
    let mut setup = issued(Plan::Subscription, Succession::default()).await;
    setup.leap(300);
    let new = setup.cloud.certificate(&setup.other().await).unwrap();
    let ends = setup.cloud.certificate(ID).unwrap().issued.unwrap().not_after;
    let due = ends.checked_sub(SignedDuration::from_hours(24 * 30)).unwrap();
    assert_eq!((new.bought_at, new.applied_at), (due, Some(due)));
}

#[tokio::test]
async fn the_number_of_its_order_and_the_begin_are_switches() {
    let succession = Succession { order: OrderNumber::Own, ..Succession::default() };
    let mut setup = issued(Plan::Subscription, succession).await;
    setup.leap(170);
    let new = setup.other().await;
    assert_ne!(setup.shown(&new).await["order_id"], setup.shown(ID).await["order_id"]);

    for (start, domain) in [(Start::Paid, ""), (Start::PaidWithNames, "www.acme.example")] {
        let mut setup = issued(Plan::Subscription, Succession { start, ..Succession::default() }).await;
        setup.leap(170);
        let new = setup.other().await;
        let seen = setup.shown(&new).await;
        assert_eq!((&seen["status"], &seen["domain"]), (&json!("PAID"), &json!(domain)));
        assert_eq!(seen["authentification"], json!([]));
        assert_eq!(seen["order_id"], setup.shown(ID).await["order_id"]);
        assert!(setup.cloud.running().is_empty());
        let application = personal_application().to_string();
        let applied = setup.client.call("POST", &format!("/{new}/apply"), &application).await;
        assert_eq!(applied.code(), "ok");
        setup.cloud.issue(&new).unwrap();
        assert_eq!(setup.ids("?status=ISSUED").await.len(), 2);
    }
}

#[tokio::test]
async fn nothing_follows_a_single_certificate_or_where_the_cloud_makes_none() {
    let mut setup = issued(Plan::Single, Succession::default()).await;
    setup.leap(190);
    assert_eq!(setup.ids("").await, [ID]);
    let options = Options { succession_days: None, ..Options::default() };
    let mut setup = setup_with(options).await;
    setup.applied(Product::DV_SINGLE, &personal_application()).await;
    setup.cloud.issue(ID).unwrap();
    setup.cloud.set_term(ID, 1, Plan::Subscription).unwrap();
    setup.leap(190);
    assert_eq!(setup.ids("").await, [ID]);
}

#[tokio::test]
async fn automatic_renewal_buys_another_and_the_switch_moves_on() {
    let mut setup = issued(Plan::AutoRenewal, Succession::default()).await;
    setup.leap(170);
    let new = setup.other().await;
    assert_ne!(setup.shown(&new).await["order_id"], setup.shown(ID).await["order_id"]);
    assert_eq!(setup.shown(&new).await["status"], "CHECKING_DOMAIN");
    let plans = [ID, &new].map(|id| setup.cloud.certificate(id).unwrap().term.plan);
    assert_eq!(plans, [Plan::Single, Plan::AutoRenewal]);
    setup.cloud.issue(&new).unwrap();
    let new = setup.cloud.certificate(&new).unwrap();
    assert_eq!(new.term.began, Some(new.issued.unwrap().not_before), "a term of its own");
}

#[tokio::test]
async fn a_new_leaf_may_come_under_the_same_id() {
    let succession = Succession { identity: Identity::Same, ..Succession::default() };
    let mut setup = issued(Plan::Subscription, succession).await;
    let before = setup.shown(ID).await;
    setup.leap(170);
    let during = setup.shown(ID).await;
    assert_eq!((&during["status"], &during["fingerprint"]), (&json!("ISSUED"), &before["fingerprint"]));
    assert_eq!(during["authentification"].as_array().unwrap().len(), 1);
    assert_eq!((setup.ids("").await, setup.cloud.running()), (vec![ID.to_owned()], vec![ID.to_owned()]));
    assert_eq!(setup.exported(ID).await["error_code"], Value::Null, "the old leaf is still to be had");
    assert_eq!(setup.cloud.advance(ID).unwrap(), Status::ISSUED);
    assert_eq!(setup.shown(ID).await["fingerprint"], before["fingerprint"]);
    setup.cloud.advance(ID).unwrap();
    let after = setup.shown(ID).await;
    assert_ne!(after["fingerprint"], before["fingerprint"]);
    assert!(after["not_after"].as_str() > before["not_after"].as_str());
    assert_eq!(after["authentification"], json!([]));
    assert!(setup.cloud.running().is_empty());

    // One that the authority refuses leaves the old leaf as it is, and one that takes its time lets it expire.
    let mut setup = issued(Plan::Subscription, succession).await;
    setup.leap(170);
    setup.cloud.reject(ID, "not validated").unwrap();
    assert_eq!(setup.shown(ID).await["status"], "ISSUED");
    let mut setup = issued(Plan::Subscription, succession).await;
    setup.leap(170);
    assert_eq!(setup.status(), Status::ISSUED);
    setup.leap(200);
    assert_eq!((setup.status(), setup.cloud.running()), (Status::EXPIRED, vec![ID.to_owned()]));
    setup.cloud.advance(ID).unwrap();
    assert_eq!(setup.cloud.advance(ID).unwrap(), Status::ISSUED);

    let succession = Succession { identity: Identity::SameInReview, ..Succession::default() };
    let mut setup = issued(Plan::Subscription, succession).await;
    setup.leap(170);
    let during = setup.shown(ID).await;
    assert_eq!((&during["status"], &during["fingerprint"]), (&json!("CHECKING_DOMAIN"), &before_of(&during)));
    assert_eq!(setup.exported(ID).await["error_code"], "SCM.0010");
    while setup.cloud.advance(ID).unwrap() != Status::ISSUED {}
    assert_ne!(setup.shown(ID).await["fingerprint"], during["fingerprint"]);
}

/// The old leaf shows as long as there is no other.
fn before_of(shown: &Value) -> Value {
    assert_eq!(shown["fingerprint"].as_str().unwrap().len(), 40);
    shown["fingerprint"].clone()
}

#[tokio::test]
async fn a_sibling_is_of_the_same_specification_and_belongs_to_nothing() {
    let setup = setup().await;
    setup.applied(Product::OV_MULTI, &company_application()).await;
    setup.cloud.issue(ID).unwrap();
    setup.cloud.set(ID, |certificate| certificate.domain_count = 7).unwrap();
    let sibling = setup.cloud.buy_alike(ID).unwrap();
    let (one, other) = (setup.shown(ID).await, setup.shown(&sibling).await);
    for same in ["type", "brand", "domain_type", "domain_count", "wildcard_count"] {
        assert_eq!(one[same], other[same], "{same}");
    }
    assert_eq!((&other["status"], &other["domain"]), (&json!("PAID"), &json!("")));
    assert_ne!(one["order_id"], other["order_id"]);
    assert!(setup.cloud.buy_alike("scs0000000000000").is_err());
}

#[tokio::test]
async fn the_console_makes_the_next_one_at_once() {
    let setup = issued(Plan::Single, Succession::default()).await;
    let new = setup.cloud.make_successor(ID, Succession::default()).unwrap();
    assert_eq!(setup.shown(&new).await["status"], "CHECKING_DOMAIN");
    assert!(matches!(
        setup.cloud.make_successor(&new, Succession::default()),
        Err(MoveError::WrongStatus(..))
    ));
    let unknown = setup.cloud.make_successor("scs0000000000000", Succession::default());
    assert!(matches!(unknown, Err(MoveError::Unknown(_))));
}

#[tokio::test]
async fn a_reissue_in_the_console_takes_the_old_leaf_first() {
    let mut setup = issued(Plan::Single, Succession::default()).await;
    let before = setup.shown(ID).await;
    let shown = Status("CA_REVIEW");
    assert!(matches!(setup.cloud.confirm_reissue(ID), Err(MoveError::WrongStatus(..))));
    setup.cloud.begin_reissue(ID, shown).unwrap();
    assert!(matches!(setup.cloud.begin_reissue(ID, shown), Err(MoveError::WrongStatus(..))));
    let review = setup.shown(ID).await;
    assert_eq!((&review["status"], &review["fingerprint"]), (&json!("CA_REVIEW"), &before["fingerprint"]));
    assert_eq!(setup.exported(ID).await["error_code"], "SCM.0010");
    setup.cloud.confirm_reissue(ID).unwrap();
    let validated = setup.shown(ID).await;
    assert_eq!((&validated["status"], &validated["fingerprint"]), (&json!("CHECKING_DOMAIN"), &json!("")));
    assert_eq!(validated["authentification"].as_array().unwrap().len(), 1);
    while setup.cloud.advance(ID).unwrap() != Status::ISSUED {}
    assert_ne!(setup.shown(ID).await["fingerprint"], before["fingerprint"]);

    setup.leap(26);
    let refused = setup.cloud.begin_reissue(ID, shown).unwrap_err();
    assert_eq!(refused.to_string(), format!("certificate {ID} has no reissue: it was issued too long ago"));
    let several = with(&company_application(), &json!({ "sans": "api.acme.example" }));
    setup.leap(0);
    setup.applied(Product::OV_MULTI, &several).await;
    setup.cloud.issue(ID).unwrap();
    assert!(matches!(setup.cloud.begin_reissue(ID, shown), Err(MoveError::NoReissue(..))));
    setup.applied(Product::OV_SINGLE, &company_application()).await;
    setup.cloud.issue(ID).unwrap();
    setup.leap(6);
    assert!(setup.cloud.begin_reissue(ID, shown).is_err(), "this brand gives five days");
}

#[tokio::test]
async fn no_page_reaches_beyond_the_first_rows() {
    let setup = setup().await;
    assert_eq!(setup.client.call("GET", "?limit=50&offset=100", "").await.code(), "ok");
    assert_eq!(setup.client.call("GET", "?limit=50&offset=101", "").await.code(), "SCM.0005");
}

#[tokio::test]
async fn a_year_is_covered_by_as_many_leaves_as_the_rules_make_of_it() {
    for (identity, days, leaves) in
        [(Identity::Own, 199, 2), (Identity::Own, 99, 5), (Identity::Own, 46, 21), (Identity::Same, 46, 21)]
    {
        let succession = Succession { identity, ..Succession::default() };
        let setup = setup_with(Options { succession, life: Life::Days(days), ..Options::default() }).await;
        setup.applied(Product::DV_SINGLE, &personal_application()).await;
        setup.cloud.issue(ID).unwrap();
        setup.cloud.set_term(ID, 1, Plan::Subscription).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for day in 0..365 {
            setup.cloud.set_clock_ahead(SignedDuration::from_hours(24 * day));
            for id in setup.cloud.running() {
                setup.cloud.issue(&id).unwrap();
            }
            let all = setup.cloud.certificate_ids();
            let all: Vec<_> = all.iter().map(|id| setup.cloud.certificate(id).unwrap()).collect();
            assert!(all.iter().any(|one| one.status == Status::ISSUED), "{days}: day {day}");
            seen.extend(all.into_iter().filter_map(|one| one.issued).map(|issued| issued.leaf));
        }
        assert_eq!(seen.len(), leaves, "{identity:?} {days}");
        let begun = setup.cloud.now();
        assert!(begun > clock::now(), "the clock is the cloud's own");
    }
}
