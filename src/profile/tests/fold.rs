//! What the status of a profile reports.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::support::{at, company, contact, data, manager, profile, review};
use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{OrganizationProfile, OrganizationProfileStatus};
use crate::core::application::{Contact, Profile};
use crate::core::conditions::Problem;
use crate::core::redact::Filter;
use crate::profile::fold::{Facts, Next, Requeue, fold};
use crate::profile::matching::{self, Found, Wanted};
use crate::profile::observe::{Observed, ReadFailure};
use crate::provider::directory::{Review, ReviewState, SavedAdministrator, SavedOrganization};
use crate::provider::{Error, Refusal};

/// The facts of one profile, which each test adjusts.
struct Scene {
    profile: OrganizationProfile,
    data: Result<Profile, Problem>,
    directory: Option<Result<(), Problem>>,
    observed: Option<Result<Observed, ReadFailure>>,
    now: Timestamp,
}

fn scene(saved: &Value) -> Scene {
    Scene {
        profile: profile(saved),
        data: Ok(data(["Acme", "", ""], contact(["Ning", "Huang", "pki@acme.example"]))),
        directory: Some(Ok(())),
        observed: None,
        now: at(0),
    }
}

fn credentials() -> Value {
    json!({"credentialsRef": {"name": "tencent-credentials"}})
}

impl Scene {
    /// The account holds these, and nothing else.
    fn holds(mut self, companies: &[SavedOrganization], managers: &[SavedAdministrator]) -> Self {
        let spec = self.profile.spec.tencent_cloud.clone().unwrap();
        let id = |id: Option<i64>| id.map(|id| id.try_into().unwrap());
        let data = self.data.as_ref().unwrap();
        let wanted = Wanted {
            organization_id: id(spec.company_id),
            administrator_id: id(spec.manager_id),
            profile: data,
        };
        let organization = matching::organization(&wanted, companies);
        let administrator = matching::administrator(&wanted, managers);
        let manager = managers
            .iter()
            .find(|one| organization.id().is_some() && Some(one.id) == administrator.id())
            .cloned();
        let owner = Some("100000000001".to_owned());
        self.observed =
            Some(Ok(Observed { owner, profiles: companies.len(), organization, administrator, manager }));
        self
    }

    fn fails(self, error: Error) -> Self {
        Self { observed: Some(Err(ReadFailure { action: "DescribeCompanies", error })), ..self }
    }

    fn at(self, day: i64) -> Self {
        Self { now: at(day), ..self }
    }

    /// Folds, stores the result, and folds again: that must change nothing.
    fn fold(&mut self) -> Next {
        let next = self.fold_once();
        self.profile.status = Some(next.status.clone());
        let again = self.fold_once();
        assert_eq!((&again.status, again.requeue), (&next.status, next.requeue), "the same twice");
        let has = |type_: &str| next.status.conditions.iter().any(|condition| condition.type_ == type_);
        assert!(!(has("Reconciling") && has("Stalled")), "{:?}", next.status.conditions);
        next
    }

    fn fold_once(&self) -> Next {
        fold(&Facts {
            profile: &self.profile,
            data: &self.data,
            directory: self.directory.clone(),
            observed: self.observed.as_ref(),
            asked: None,
            filter: &Filter::default(),
            now: self.now,
        })
    }
}

/// The conditions in short.
fn summary(status: &OrganizationProfileStatus) -> String {
    let words = |c: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition| {
        format!("{}={}/{}", c.type_, c.status, c.reason)
    };
    status.conditions.iter().map(words).collect::<Vec<_>>().join(" ")
}

fn message<'a>(status: &'a OrganizationProfileStatus, type_: &str) -> &'a str {
    status.conditions.iter().find(|condition| condition.type_ == type_).map_or("", |found| &found.message)
}

fn acme() -> SavedOrganization {
    company(134, ["ACME", "", ""])
}

fn ning(review: Review) -> SavedAdministrator {
    let ning = manager(2345, ["Ning", "Huang", "pki@acme.example", ""], review.state);
    SavedAdministrator { review, ..ning }
}

fn refused(code: &str, request_id: &str) -> Refusal {
    let (code, request_id) = (code.to_owned(), Some(request_id.to_owned()));
    Refusal { code, message: "the cloud's words".into(), request_id, hint: None, note: None }
}

#[test]
fn a_profile_without_a_saved_one_is_ready_when_its_references_resolve() {
    let mut plain = Scene { directory: None, ..scene(&credentials()) };
    plain.profile.spec.tencent_cloud = None;
    let next = plain.fold();
    assert_eq!((summary(&next.status).as_str(), next.requeue), ("Ready=True/Complete", Requeue::Cluster));
    assert_eq!(next.status.tencent_cloud, None);

    plain.data = Ok(data(["Acme", "", ""], Contact::default()));
    assert_eq!(summary(&plain.fold().status), "Ready=False/ProfileIncomplete Stalled=True/ProfileIncomplete");
    plain.data = Err(Problem::new(Reason::SecretNotFound, "Secret x does not exist"));
    assert_eq!(summary(&plain.fold().status), "Ready=Unknown/SecretNotFound Reconciling=True/SecretNotFound");
}

#[test]
fn every_state_of_a_review_has_its_condition_and_its_requeue() {
    use ReviewState::{Approved, Expired, Expiring, InReview, Invalid, NotSubmitted, Unrecognised};
    let table = [
        (Approved, Some(100), "True/Approved", Requeue::Settled),
        (Approved, Some(31), "True/Approved", Requeue::Settled),
        (Approved, Some(30), "True/Expiring", Requeue::Settled),
        (Approved, Some(0), "False/Expired", Requeue::Settled),
        (Approved, None, "True/Approved", Requeue::Settled),
        (Expiring, Some(100), "True/Expiring", Requeue::Settled),
        (Expiring, Some(-1), "False/Expired", Requeue::Settled),
        (Expiring, None, "True/Expiring", Requeue::Settled),
        (InReview, None, "False/InReview", Requeue::Review),
        (InReview, Some(-100), "False/InReview", Requeue::Review),
        (NotSubmitted, None, "False/InReview", Requeue::Review),
        (Expired, Some(-3), "False/Expired", Requeue::Settled),
        (Invalid, None, "False/Invalid", Requeue::Settled),
        (Unrecognised, None, "Unknown/Pending", Requeue::Review),
    ];
    for (state, ends, approved, again) in table {
        let next = scene(&credentials()).holds(&[acme()], &[ning(review(state, ends))]).fold();
        let expected = format!("Approved={approved} Ready=True/Complete Resolved=True/Matched");
        assert_eq!((summary(&next.status), next.requeue), (expected, again), "{state:?} {ends:?}");
        let saved = next.status.tencent_cloud.unwrap();
        assert_eq!((saved.company_id, saved.manager_id), (Some(134), Some(2345)));
        assert_eq!((saved.profiles, saved.limit), (Some(1), Some(10)));
        assert_eq!(saved.owner_uin.as_deref(), Some("100000000001"));
        assert_eq!(saved.expires_at.map(|time| time.0), ends.map(at));
        assert_eq!(saved.review_status, Some(review(state, None).word));
        assert_eq!(saved.ov_review_status.as_deref(), Some("completed"));
        assert_eq!(saved.ev_review_status.as_deref(), Some("pending"));
    }
}

#[test]
fn an_approval_ends_by_itself() {
    let mut scene = scene(&credentials()).holds(&[acme()], &[ning(review(ReviewState::Approved, Some(398)))]);
    let mut approved = |day| {
        scene.now = at(day);
        let status = scene.fold().status;
        (summary(&status).split_once(' ').unwrap().0.to_owned(), message(&status, "Approved").to_owned())
    };
    assert_eq!(approved(367).0, "Approved=True/Approved");
    let (words, text) = approved(368);
    assert_eq!(words, "Approved=True/Expiring");
    assert!(text.contains("ends on 2027-06-30") && text.contains("My Profile"), "{text}");
    assert_eq!(approved(398).0, "Approved=False/Expired");
}

#[test]
fn a_missing_profile_reports_the_steps_of_the_console() {
    let not_found = |profiles: usize| {
        let others: Vec<_> = (1..).take(profiles).map(|id| company(id, ["Other", "", ""])).collect();
        let next = scene(&credentials()).holds(&others, &[]).fold();
        assert_eq!(summary(&next.status), "Ready=True/Complete Resolved=False/NotFound");
        let saved = next.status.tencent_cloud.clone().unwrap();
        assert_eq!(saved.profiles, i64::try_from(profiles).ok());
        assert_eq!((saved.company_id, next.requeue), (None, Requeue::Settled));
        message(&next.status, "Resolved").to_owned()
    };
    let first = not_found(0);
    for words in
        ["Create Now", "the organization", "the administrator", "Submit Organization Profile", "click Submit"]
    {
        assert!(first.contains(words), "{words}: {first}");
    }
    let later = not_found(3);
    for words in
        ["3 of 10", "Add Organization", "New Organization", "Create Now", "Submit Organization Profile"]
    {
        assert!(later.contains(words), "{words}: {later}");
    }
    assert!(!later.contains("the administrator") && !later.contains("removed"), "{later}");
    for full in [not_found(10), not_found(11)] {
        assert!(full.contains("so one must be removed in the console first"), "{full}");
    }
    for text in [first, later] {
        assert!(text.contains("one business day") && text.contains("the call from the CA"), "{text}");
        assert!(text.len() < 1000, "fits into an Event: {}", text.len());
    }
}

#[test]
fn each_way_not_to_find_a_profile_says_what_to_set() {
    let given = |company: Value, manager: Value| {
        let mut spec = credentials();
        spec["companyId"] = company;
        spec["managerId"] = manager;
        scene(&spec)
    };
    let two = [acme(), company(135, ["acme", "", ""])];
    let approved = || ning(review(ReviewState::Approved, None));
    let twin = || SavedAdministrator { id: 2346, ..approved() };
    let mut nameless = scene(&credentials());
    nameless.data = Ok(data(["", "", ""], contact(["Ning", "Huang", ""])));
    let mut faceless = scene(&credentials());
    faceless.data = Ok(data(["Acme", "", ""], contact(["Ning", "", ""])));
    let table = vec![
        (scene(&credentials()).holds(&two, &[]), "Ambiguous", "134, 135", None),
        (given(json!(99), json!(null)).holds(&two, &[]), "NotFound", "companyId 99", None),
        (given(json!(134), json!(7)).holds(&two, &[approved()]), "NotFound", "managerId 7", Some(134)),
        (nameless.holds(&two, &[]), "NotFound", "spec.organization.name is empty", None),
        (faceless.holds(&[acme()], &[approved()]), "NotFound", "spec.tencentCloud.managerId", Some(134)),
        (scene(&credentials()).holds(&[acme()], &[]), "NotFound", "To add the administrator", Some(134)),
        (scene(&credentials()).holds(&[acme()], &[approved(), twin()]), "Ambiguous", "2345, 2346", Some(134)),
    ];
    for (mut scene, reason, words, company) in table {
        let status = scene.fold().status;
        assert_eq!(summary(&status), format!("Ready=True/Complete Resolved=False/{reason}"), "{words}");
        assert!(message(&status, "Resolved").contains(words), "{words}: {}", message(&status, "Resolved"));
        let saved = status.tencent_cloud.unwrap();
        assert_eq!((saved.company_id, saved.manager_id), (company, None), "{words}");
    }
    let mut both = given(json!(134), json!(2345)).holds(&two, &[approved()]);
    assert_eq!(
        summary(&both.fold().status),
        "Approved=True/Approved Ready=True/Complete Resolved=True/Given"
    );
}

#[test]
fn a_saved_manager_stands_for_a_person_who_is_not_named() {
    let mut spec = credentials();
    spec["companyId"] = json!(134);
    spec["managerId"] = json!(2345);
    let nobody = |spec: &Value| Scene { data: Ok(data(["", "", ""], Contact::default())), ..scene(spec) };
    let ready = |mut scene: Scene| {
        let status = scene.fold().status;
        let ready = message(&status, "Ready").to_owned();
        (summary(&status).split(' ').find(|word| word.starts_with("Ready")).unwrap().to_owned(), ready)
    };
    let saved = [ning(review(ReviewState::InReview, None))];
    assert_eq!(ready(nobody(&spec).holds(&[acme()], &saved)).0, "Ready=True/Complete");
    let (words, text) = ready(nobody(&spec).holds(&[acme()], &[]));
    assert_eq!(words, "Ready=False/ProfileIncomplete");
    assert_eq!(text, "spec.administrator is empty, and the manager is not known to Tencent Cloud");
    assert_eq!(ready(nobody(&spec).fails(Error::Unknown(None))).0, "Ready=Unknown/Pending");
    spec["reuse"] = json!("Never");
    assert_eq!(ready(nobody(&spec).holds(&[acme()], &saved)).0, "Ready=False/ProfileIncomplete");
}

#[test]
fn a_refusal_is_a_result_and_the_first_of_a_run_stays() {
    let denied = |request_id| Error::Rejected {
        reason: Reason::PermissionDenied,
        refusal: refused("UnauthorizedOperation", request_id),
    };
    let mut scene = scene(&credentials()).fails(denied("one"));
    let next = scene.fold();
    assert_eq!(
        (summary(&next.status).as_str(), next.requeue),
        ("Ready=True/Complete Resolved=False/Refused", Requeue::Settled)
    );
    let text = message(&next.status, "Resolved").to_owned();
    for words in ["DescribeCompanies", "UnauthorizedOperation", "RequestId one", "in CAM"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let mut scene = scene.fails(denied("two"));
    assert_eq!(message(&scene.fold().status, "Resolved"), text);
}

#[test]
fn a_temporary_failure_keeps_what_was_known() {
    let busy = || Error::Throttled { after: None, refusal: refused("RequestLimitExceeded", "r") };
    let mut first = scene(&credentials()).fails(busy());
    let next = first.fold();
    assert_eq!(
        (summary(&next.status).as_str(), next.requeue),
        ("Ready=True/Complete Resolved=Unknown/RateLimited", Requeue::Failed(None))
    );
    let mut known = scene(&credentials()).holds(&[acme()], &[ning(review(ReviewState::Approved, None))]);
    let before = known.fold().status;
    let mut later = known.fails(busy()).at(1);
    let next = later.fold();
    assert_eq!((next.status, next.requeue), (before, Requeue::Failed(None)), "nothing is written");
    later.profile.metadata.generation = Some(2);
    let status = later.fold().status;
    assert_eq!(
        summary(&status),
        "Ready=True/Complete Resolved=Unknown/RateLimited",
        "it may be another one now"
    );
    assert_eq!(status.tencent_cloud, None);
}

#[test]
fn a_wrong_clock_passes_by_itself_within_two_minutes() {
    let off = |request_id| Error::ClockSkew(refused("AuthFailure.SignatureExpire", request_id));
    let mut scene = scene(&credentials()).fails(off("one"));
    let next = scene.fold();
    assert_eq!(
        (summary(&next.status).as_str(), next.requeue),
        ("Ready=True/Complete Resolved=Unknown/ClockSkew", Requeue::FailedForAll)
    );
    let again = scene.fails(off("two")).at(1).fold();
    assert_eq!(again.status, next.status, "nothing is written");
}

#[test]
fn a_secret_that_is_missing_keeps_the_profile_from_being_looked_up() {
    let problem = Problem::new(Reason::SecretNotFound, "Secret tencent-credentials does not exist");
    let mut without = Scene { directory: Some(Err(problem)), ..scene(&credentials()) };
    let next = without.fold();
    assert_eq!(
        summary(&next.status),
        "Ready=Unknown/SecretNotFound Reconciling=True/SecretNotFound Resolved=Unknown/Pending"
    );
    assert_eq!(next.requeue, Requeue::Cluster);
    assert!(message(&next.status, "Resolved").contains("tencent-credentials"));
}

#[test]
fn no_datum_of_anybody_is_in_a_status() {
    let marked = SavedAdministrator {
        phone: Some("13112341234".into()),
        title: Some("MarkTitle".into()),
        ..manager(
            2345,
            ["MarkFirst", "MarkLast", "mark@acme.example", "MarkDepartment"],
            ReviewState::Approved,
        )
    };
    for state in [ReviewState::Approved, ReviewState::InReview, ReviewState::Invalid, ReviewState::Expired] {
        let manager = SavedAdministrator { review: review(state, Some(10)), ..marked.clone() };
        let mut scene = scene(&credentials());
        scene.data = Ok(data(["Acme", "", ""], contact(["MarkFirst", "MarkLast", "mark@acme.example"])));
        let status = scene.holds(&[acme()], &[manager]).fold().status;
        let text = serde_json::to_string(&status).unwrap();
        assert!(!text.to_lowercase().contains("mark") && !text.contains("1311"), "{text}");
    }
}

#[test]
fn a_given_manager_is_found_whatever_the_company() {
    let observed = Observed {
        owner: None,
        profiles: 2,
        organization: Found::One(135),
        administrator: Found::One(2345),
        manager: Some(ning(review(ReviewState::Approved, None))),
    };
    let mut spec = credentials();
    spec["managerId"] = json!(2345);
    let mut scene = Scene { observed: Some(Ok(observed)), ..scene(&spec) };
    let status = scene.fold().status;
    assert!(summary(&status).ends_with("Resolved=True/Given"), "{}", summary(&status));
    assert_eq!(status.tencent_cloud.unwrap().company_id, Some(135));
}
