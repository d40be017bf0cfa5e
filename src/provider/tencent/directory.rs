//! `DescribeCompanies` and `DescribeManagers`: the profiles saved in the console. No action that exists on both sites
//! creates or changes one.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::api::Personal;
use crate::core::product::Level;
use crate::provider::directory::{LevelReview, Review, ReviewState, SavedAdministrator, SavedOrganization};
use crate::provider::{Account, Directory, Error};

use super::client::{Client, json, unreadable};
use super::wire::{id, list, text, token};
use crate::provider::time;

const COMPANIES: &str = "DescribeCompanies";
const MANAGERS: &str = "DescribeManagers";
const CERTIFICATES: &str = "DescribeCertificates";

/// Always sent: for companies the documented default is 0.
const PAGE: usize = 100;

/// More pages than an account's profiles need: the documentation allows ten profiles.
const MOST_PAGES: usize = 10;

/// How long an approval is valid if the cloud does not say: the CA/Browser Forum's limit on reusing a validation.
const APPROVAL: SignedDuration = SignedDuration::from_hours(398 * 24);

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PageRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    company_id: Option<u64>,
    offset: usize,
    limit: usize,
}

/// A page of either action.
trait Page: DeserializeOwned + Send {
    type Item;

    fn items(self) -> (Vec<Self::Item>, Option<usize>);
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Companies {
    #[serde(deserialize_with = "list")]
    companies: Vec<Company>,
    #[serde(deserialize_with = "text")]
    total_count: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Managers {
    #[serde(deserialize_with = "list")]
    managers: Vec<Manager>,
    #[serde(deserialize_with = "text")]
    total_count: Option<String>,
}

impl Page for Companies {
    type Item = Company;

    fn items(self) -> (Vec<Company>, Option<usize>) {
        (self.companies, self.total_count.and_then(|total| total.parse().ok()))
    }
}

impl Page for Managers {
    type Item = Manager;

    fn items(self) -> (Vec<Manager>, Option<usize>) {
        (self.managers, self.total_count.and_then(|total| total.parse().ok()))
    }
}

/// A company. The numbers of its documents are not read.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Company {
    /// A number here, a text in an application.
    #[serde(rename = "CompanyId", deserialize_with = "text")]
    id: Option<String>,
    #[serde(rename = "CompanyName", deserialize_with = "text")]
    name: Option<String>,
    #[serde(rename = "CompanyCity", deserialize_with = "text")]
    city: Option<String>,
    #[serde(rename = "CompanyAddress", deserialize_with = "text")]
    address: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Manager {
    #[serde(rename = "ManagerId", deserialize_with = "text")]
    id: Option<String>,
    #[serde(deserialize_with = "token")]
    status: Option<String>,
    #[serde(rename = "ManagerFirstName", deserialize_with = "text")]
    first_name: Option<String>,
    #[serde(rename = "ManagerLastName", deserialize_with = "text")]
    last_name: Option<String>,
    #[serde(rename = "ManagerPosition", deserialize_with = "text")]
    position: Option<String>,
    #[serde(rename = "ManagerPhone", deserialize_with = "text")]
    phone: Option<String>,
    #[serde(rename = "ManagerMail", deserialize_with = "text")]
    mail: Option<String>,
    #[serde(rename = "ManagerDepartment", deserialize_with = "text")]
    department: Option<String>,
    #[serde(deserialize_with = "text")]
    verify_time: Option<String>,
    #[serde(deserialize_with = "text")]
    expire_time: Option<String>,
    #[serde(deserialize_with = "list")]
    status_info: Vec<StatusInfo>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct StatusInfo {
    #[serde(rename = "Type", deserialize_with = "token")]
    kind: Option<String>,
    #[serde(deserialize_with = "token")]
    status: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Certificates {
    #[serde(deserialize_with = "list")]
    certificates: Vec<Owned>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Owned {
    #[serde(deserialize_with = "id")]
    owner_uin: Option<String>,
}

/// The saved profiles of an account.
#[derive(Debug)]
pub struct SavedProfiles(Client);

impl SavedProfiles {
    /// Those that this client's account holds.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// Reads a list to its end. What is saved or removed meanwhile shows at the next read.
    async fn all<P: Page>(
        &self,
        action: &'static str,
        company_id: Option<u64>,
    ) -> Result<Vec<P::Item>, Error> {
        let mut all = Vec::new();
        let mut last_id = String::new();
        for _ in 0..MOST_PAGES {
            let body = json(&PageRequest { company_id, offset: all.len(), limit: PAGE })?;
            let (page, request_id) = self.0.read::<P>(action, &body).await?;
            let (items, total) = page.items();
            let is_last = items.is_empty();
            all.extend(items);
            if is_last || total.is_some_and(|total| all.len() >= total) {
                return Ok(all);
            }
            last_id = request_id;
        }
        Err(unreadable("the list of saved profiles has no end", last_id))
    }
}

#[async_trait]
impl Directory for SavedProfiles {
    async fn organizations(&self) -> Result<Vec<SavedOrganization>, Error> {
        let companies = self.all::<Companies>(COMPANIES, None).await?;
        Ok(companies.into_iter().filter_map(organization).collect())
    }

    async fn administrators(&self, organization: u64) -> Result<Vec<SavedAdministrator>, Error> {
        let managers = self.all::<Managers>(MANAGERS, Some(organization)).await?;
        Ok(managers.into_iter().filter_map(administrator).collect())
    }

    /// No action reports the account of a key, but every certificate of the account names its owner.
    async fn owner(&self) -> Result<Option<String>, Error> {
        let body = json(&PageRequest { company_id: None, offset: 0, limit: 1 })?;
        let (page, _) = self.0.read::<Certificates>(CERTIFICATES, &body).await?;
        Ok(page.certificates.into_iter().find_map(|certificate| certificate.owner_uin))
    }

    fn account(&self) -> Account {
        self.0.account()
    }

    fn calls(&self) -> [&'static str; 3] {
        [COMPANIES, MANAGERS, CERTIFICATES]
    }

    fn sensitive(&self) -> Vec<SecretString> {
        self.0.sensitive().collect()
    }
}

/// An id that fits into the status and into requests; anything else counts as absent.
fn number(text: Option<String>) -> Option<u64> {
    let number = text?.parse::<u64>().ok()?;
    (1..=i64::MAX.unsigned_abs()).contains(&number).then_some(number)
}

fn organization(company: Company) -> Option<SavedOrganization> {
    Some(SavedOrganization {
        id: number(company.id)?,
        name: company.name.unwrap_or_default(),
        city: company.city,
        address: company.address,
    })
}

fn administrator(manager: Manager) -> Option<SavedAdministrator> {
    let personal = |text: Option<String>| text.map(Personal::from);
    let word = manager.status.unwrap_or_default();
    Some(SavedAdministrator {
        id: number(manager.id)?,
        first_name: personal(manager.first_name),
        last_name: personal(manager.last_name),
        email: personal(manager.mail),
        phone: personal(manager.phone),
        title: personal(manager.position),
        department: manager.department,
        review: Review {
            state: state(&word),
            word,
            levels: manager.status_info.into_iter().filter_map(level).collect(),
            ends: ends(manager.expire_time.as_deref(), manager.verify_time.as_deref()),
        },
    })
}

/// The words of `Status`; the filter of the same action also knows `none` and `CAaudit`.
fn state(word: &str) -> ReviewState {
    match word.to_ascii_lowercase().as_str() {
        "ok" => ReviewState::Approved,
        "expiring" => ReviewState::Expiring,
        "audit" | "caaudit" => ReviewState::InReview,
        "none" => ReviewState::NotSubmitted,
        "expired" => ReviewState::Expired,
        "invalid" => ReviewState::Invalid,
        _ => ReviewState::Unrecognised,
    }
}

/// An entry of `StatusInfo`.
fn level(info: StatusInfo) -> Option<LevelReview> {
    let word = info.status?;
    let level = match info.kind?.to_ascii_lowercase().as_str() {
        "ov" => Level::Ov,
        "ev" => Level::Ev,
        _ => return None,
    };
    Some(LevelReview { level, passed: is_passed(&word), word })
}

/// The words of an entry's `Status` for a review that is passed and still valid.
#[must_use]
pub fn is_passed(word: &str) -> bool {
    ["completed", "expiring"].iter().any(|passed| word.eq_ignore_ascii_case(passed))
}

fn ends(expires: Option<&str>, verified: Option<&str>) -> Option<Timestamp> {
    let reported = expires.and_then(time::parse);
    reported.or_else(|| verified.and_then(time::parse)?.checked_add(APPROVAL).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(fields: Value) -> Option<SavedAdministrator> {
        administrator(serde_json::from_value(fields).unwrap())
    }

    #[test]
    fn every_word_of_a_review_has_its_state() {
        let words = [
            ("ok", ReviewState::Approved),
            ("expiring", ReviewState::Expiring),
            ("audit", ReviewState::InReview),
            ("CAaudit", ReviewState::InReview),
            ("none", ReviewState::NotSubmitted),
            ("expired", ReviewState::Expired),
            ("invalid", ReviewState::Invalid),
            ("later", ReviewState::Unrecognised),
            ("", ReviewState::Unrecognised),
        ];
        for (word, state) in words {
            let review = read(json!({"ManagerId": 1, "Status": word})).unwrap().review;
            assert_eq!((review.state, review.word.as_str()), (state, word));
        }
    }

    #[test]
    fn a_review_is_passed_level_by_level() {
        let info = |kind: &str, status: &str| json!({"Type": kind, "Status": status});
        let infos = json!([
            info("ov", "completed"), info("EV", "pending"), info("dv", "completed"), {"Type": "ov"}, null,
            info("ov", "expiring"), info("ev", "expired"),
        ]);
        let levels = read(json!({"ManagerId": 1, "StatusInfo": infos})).unwrap().review.levels;
        let levels: Vec<_> = levels.iter().map(|one| (one.level, one.word.as_str(), one.passed)).collect();
        let expected = [
            (Level::Ov, "completed", true),
            (Level::Ev, "pending", false),
            (Level::Ov, "expiring", true),
            (Level::Ev, "expired", false),
        ];
        assert_eq!(levels, expected);
    }

    #[test]
    fn an_approval_ends_when_the_cloud_says_or_398_days_after_the_review() {
        let ends = |verified: Value, expires: Value| {
            read(json!({"ManagerId": 1, "VerifyTime": verified, "ExpireTime": expires})).unwrap().review.ends
        };
        let (verified, expires) = (json!("2026-01-01 08:00:00"), json!("2026-06-01 08:00:00"));
        assert_eq!(ends(verified.clone(), expires.clone()), Some("2026-06-01T00:00:00Z".parse().unwrap()));
        assert_eq!(ends(verified, json!("")), Some("2027-02-03T00:00:00Z".parse().unwrap()));
        assert_eq!(ends(json!(null), expires), Some("2026-06-01T00:00:00Z".parse().unwrap()));
        assert_eq!(ends(json!(null), json!(null)), None);
    }

    #[test]
    fn an_entry_without_an_id_is_left_out() {
        for id in [json!(null), json!(0), json!(-1), json!("x"), json!(u64::MAX)] {
            assert_eq!(read(json!({ "ManagerId": id })), None, "{id}");
        }
        assert_eq!(read(json!({"ManagerId": "2345"})).unwrap().id, 2345);
    }
}
