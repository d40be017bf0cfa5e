//! What only the console of Tencent Cloud can do, step by step, as its page "Adding Organization Profile" has it. No
//! action of the API makes or changes a saved profile.

/// The most profiles that an account holds.
pub const LIMIT: usize = 10;

/// Where profiles are.
const MY_PROFILE: &str = "in the console of Tencent Cloud, open SSL Certificates and click My Profile";

/// What follows, whatever was submitted.
const REVIEW: &str = "The review takes about one business day; be sure not to miss the call from the CA.";

/// How a profile looks at once.
const LOOK: &str = "certorder looks again within 12 hours, or at once with the annotation certorder.dev/reconcile-at \
                    on this profile.";

/// How to save an organisation, in an account that holds so many.
#[must_use]
pub fn how_to_save(profiles: usize) -> String {
    let room = format!("The account holds {profiles} of {LIMIT} profiles");
    let steps = match profiles {
        0 => format!(
            "{room}. To save the first one, {MY_PROFILE}; click Create Now, enter the organization (full name, \
             department, city, address, landline) and the administrator (name, position, phone, e-mail) on the page \
             Submit Organization Profile, and click Submit."
        ),
        _ if profiles >= LIMIT => {
            format!("{room}, so one must be removed in the console first. Then {MY_PROFILE}; {}", another())
        }
        _ => format!("{room}. To save another one, {MY_PROFILE}; {}", another()),
    };
    format!("{steps} {REVIEW} {LOOK}")
}

fn another() -> &'static str {
    "click Add Organization and, on the tab New Organization, Create Now; enter the organization (full name, department, \
     city, address, landline) on the page Submit Organization Profile, and click Submit."
}

/// How to save an administrator of a saved organisation.
#[must_use]
pub fn how_to_add_manager(company: u64) -> String {
    format!(
        "To add the administrator, {MY_PROFILE}, open company {company}, and submit the data there. {REVIEW} {LOOK}"
    )
}

/// How to have a saved profile reviewed that was not, or whose review failed or has run out.
#[must_use]
pub fn how_to_submit() -> String {
    format!("{}, and submit it for review. {REVIEW} {LOOK}", sentence(MY_PROFILE))
}

/// What happens during a review.
#[must_use]
pub fn in_review() -> String {
    format!("{REVIEW} certorder looks again every 10 minutes.")
}

fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
