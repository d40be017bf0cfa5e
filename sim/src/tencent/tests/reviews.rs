//! Saved profiles and their review.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::client::{Setup, setup};
use crate::tencent::{Company, MOST_PROFILES, Manager, TooManyProfiles};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn company(id: u64) -> Company {
    Company { id, ..Company::default() }
}

async fn with_manager() -> Setup {
    let setup = setup().await;
    setup.cloud.add_company(&setup.account, company(134)).unwrap();
    let manager = Manager { id: 2345, company_id: 134, status: "none".to_owned(), ..Manager::default() };
    setup.cloud.save_manager(&setup.account, manager);
    setup
}

async fn manager(setup: &Setup) -> Value {
    setup.client.call("DescribeManagers", &json!({"CompanyId": 134})).await["Managers"][0].take()
}

/// The overall status and that of the first kind of certificate, this long after now.
async fn after(setup: &Setup, time: SignedDuration) -> (String, String) {
    setup.cloud.set_clock_ahead(time);
    // The service takes no call whose time is not its own.
    let mut client = setup.client.clone();
    client.timestamp = Some(crate::clock::now() + time);
    let managers = client.call("DescribeManagers", &json!({"CompanyId": 134})).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&managers["Managers"][0]["Status"]), text(&managers["Managers"][0]["StatusInfo"][0]["Status"]))
}

fn words(overall: &str, level: &str) -> (String, String) {
    (overall.to_owned(), level.to_owned())
}

#[tokio::test]
async fn a_review_takes_its_time_and_its_approval_ends() {
    let setup = with_manager().await;
    assert_eq!(manager(&setup).await["Status"], "none");
    assert!(setup.cloud.submit_for_review(&setup.account, 2345, HOUR * 8, true));
    assert_eq!(after(&setup, HOUR).await, words("audit", "submitted"));
    assert_eq!(after(&setup, HOUR * 5).await, words("CAaudit", "submitted"));
    assert_eq!(after(&setup, HOUR * 9).await, words("ok", "completed"));
    assert_eq!(after(&setup, DAY * 370).await, words("expiring", "expiring"));
    assert_eq!(after(&setup, DAY * 400).await, words("expired", "expired"));
    assert!(setup.cloud.submit_for_review(&setup.account, 2345, HOUR, true));
    assert_eq!(after(&setup, DAY * 400 + HOUR * 2).await, words("ok", "completed"));
}

#[tokio::test]
async fn a_review_can_fail() {
    let setup = with_manager().await;
    assert!(setup.cloud.submit_for_review(&setup.account, 2345, HOUR, false));
    assert_eq!(after(&setup, HOUR * 2).await, words("invalid", "invalid"));
    assert!(!setup.cloud.submit_for_review(&setup.account, 1, HOUR, true), "nobody has this id");
}

#[tokio::test]
async fn the_console_takes_ten_profiles() {
    let setup = setup().await;
    let add = |id| setup.cloud.add_company(&setup.account, company(id));
    for id in 1..=MOST_PROFILES as u64 {
        assert_eq!(add(id), Ok(()));
    }
    assert_eq!(add(11), Err(TooManyProfiles));
    assert_eq!(add(10), Ok(()), "a change");
    setup.cloud.remove_company(&setup.account, 3);
    assert_eq!(add(11), Ok(()));
}
