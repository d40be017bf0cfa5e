//! A year of an order by the test clock, with certificates of 200, 100 and 47 days: each successor is followed in time, each
//! paid certificate is submitted once at most, and the Secret never goes without a valid pair.

use std::collections::BTreeMap;

use certorder::api::v1alpha1::CertificateOrder;
use certorder_sim::huawei;
use certorder_sim::tencent::{self, Start, Succession, Way};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::clouds::{Cloud, Kind, Product};
use crate::renewals::{days, handed_in, issue, order, secret_fits, until_current};
use crate::world::{World, ahead_at};

/// How a year goes on at a cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// The cloud makes each successor 30 days before the end, and files its application.
    Filed,
    /// It makes each successor, which waits for its application.
    Waiting,
}

/// What came of a year.
#[derive(Default, Debug)]
struct Year {
    /// How often each certificate was handed in.
    submissions: BTreeMap<String, usize>,
    /// The least that was left of a certificate when its successor took its place.
    least_left: Option<SignedDuration>,
    /// The calls to the cloud, by name.
    calls: BTreeMap<String, usize>,
}

/// Orders a certificate at `begin`, and lets a year pass.
async fn year(kind: Kind, how: How, begin: &str) -> Year {
    let begin: Timestamp = begin.parse().unwrap();
    let mut world = World::quiet_at(kind).await;
    let first = world.certificate();
    world.site.buy(first, Product::Dv);
    match &world.site {
        Cloud::Tencent(cloud, _) if how == How::Filed => {
            cloud.set_term(first, 3, tencent::Plan::MultiYear).unwrap();
        }
        Cloud::Huawei(cloud, _) => cloud.set_term(first, 3, huawei::Plan::Subscription).unwrap(),
        Cloud::Tencent(..) => {}
    }
    let start = ahead_at(begin);
    world.run_ahead(start);
    world.create::<CertificateOrder>(order(&world, &Value::Null)).await;
    world.until_is("www", "Ordered", "True", "Accepted").await;
    issue(&world, first);
    let mut status = until_current(&world, first).await;
    let mut head = first.to_owned();
    let mut year = Year::default();
    while world.now() < begin + days(365) {
        let current = status.current.unwrap();
        let (from, end) = (current.not_before.unwrap().0, current.not_after.unwrap().0);
        let due = status.renewal.unwrap().due.unwrap().0;
        assert!(due > from && due < end);
        // The cloud makes a successor 30 days before the end, and the order looks for it from `due` on.
        let at = due.max(end - days(30)) + SignedDuration::from_hours(1);
        world.kill();
        world.run_ahead(ahead_at(at));
        if how == How::Waiting {
            let waits = Succession { start: Start::Pending, ..Succession::default() };
            world.cloud.make_successor(&head, Way::AutoRenewal, &waits).unwrap();
        }
        world.poke("www").await;
        let found = world
            .until("www", "followed by a running order", |status| {
                let successor = status.renewal.as_ref().and_then(|renewal| renewal.successor.as_ref());
                successor.is_some_and(|successor| successor.phase.as_deref() == Some("Validating"))
            })
            .await;
        let next = found.renewal.unwrap().successor.unwrap().certificate_id;
        assert!(secret_fits(&world, world.now()).await, "until the swap");
        issue(&world, &next);
        status = until_current(&world, &next).await;
        let left = ahead_at(end) - world.ahead();
        year.least_left = Some(year.least_left.map_or(left, |least| least.min(left)));
        assert!(secret_fits(&world, world.now()).await, "after the swap");
        assert!(status.not_after.as_ref().unwrap().0 > end, "never to an earlier end");
        head = next;
    }
    let ids = status.renewal.unwrap().chain;
    year.submissions = ids.iter().map(|id| (id.clone(), handed_in(&world, id))).collect();
    for call in world.site.ledger() {
        *year.calls.entry(call.action).or_default() += 1;
    }
    year
}

/// A year at each cloud that begins on this day, with so many certificates.
async fn years(begin: &str, certificates: std::ops::RangeInclusive<usize>) {
    for (kind, how) in
        [(Kind::Tencent, How::Filed), (Kind::Tencent, How::Waiting), (Kind::Huawei, How::Filed)]
    {
        let case = format!("{begin} {} {how:?}", kind.names().cloud);
        let year = year(kind, how, begin).await;
        println!("{case}: {} certificates, {year:?}", year.submissions.len());
        assert!(certificates.contains(&year.submissions.len()), "{case}: {year:?}");
        assert!(year.least_left.unwrap() > SignedDuration::ZERO, "{case}: {year:?}");
        let calls = kind.names().apply.len();
        for (number, (id, times)) in year.submissions.iter().enumerate() {
            let is_ours = id == kind.names().certificate || how == How::Waiting;
            assert_eq!(*times, if is_ours { calls } else { 0 }, "{case}: {id}, number {number}");
        }
    }
}

/// The next rule begins within this year.
#[tokio::test]
async fn a_year_of_certificates_of_200_days_has_no_gap_and_submits_each_once() {
    years("2026-12-01T00:00:00Z", 4..=6).await;
}

#[tokio::test]
async fn a_year_of_certificates_of_100_days_has_no_gap_and_submits_each_once() {
    years("2027-04-01T00:00:00Z", 5..=8).await;
}

#[tokio::test]
async fn a_year_of_certificates_of_47_days_has_no_gap_and_submits_each_once() {
    years("2029-04-01T00:00:00Z", 12..=26).await;
}
