//! What an application names of the profiles saved in the console, and what that means for its review.

use crate::core::application::Saved;
use crate::core::product::{Level, Product};

/// Whether ids stand for any data.
#[must_use]
pub fn is_named(saved: &Saved) -> bool {
    ids(saved).0.is_some()
}

/// The ids of company and manager.
#[must_use]
pub fn ids(saved: &Saved) -> (Option<u64>, Option<u64>) {
    match saved {
        Saved::No | Saved::NotUsable(_) | Saved::Held(_) => (None, None),
        Saved::Organization { id, .. } => (Some(*id), None),
        Saved::Everything { organization, administrator, .. } => (Some(*organization), Some(*administrator)),
    }
}

/// A note for the user: the page on saved profiles promises that the review is skipped, with exceptions.
#[must_use]
pub fn note(saved: &Saved, product: Option<&Product>) -> Option<String> {
    let used = match saved {
        Saved::No | Saved::Held(_) => return None,
        Saved::NotUsable(why) => {
            return Some(format!("It brings the data of the OrganizationProfile, since {why}."));
        }
        Saved::Organization { id, without_people } => {
            return Some(format!(
                "It names the saved company {id} and brings the data of the people, since {without_people}; the review \
                 of the organization is not skipped."
            ));
        }
        Saved::Everything { organization, administrator, .. } => {
            format!("It names the saved company {organization} and manager {administrator}")
        }
    };
    Some(match not_skipped(saved, product) {
        Some(why) => format!("{used}; the review of the organization is not skipped: {why}."),
        None => format!("{used}."),
    })
}

/// Why the review is not skipped although the profile is approved.
fn not_skipped(saved: &Saved, product: Option<&Product>) -> Option<String> {
    let (Saved::Everything { reviewed, .. }, Some(product)) = (saved, product) else { return None };
    if product.automatic_review == Some(false) {
        return Some("Chinese SM products have no automatic review".to_owned());
    }
    let level = product.level.filter(|level| *level != Level::Dv)?;
    (!reviewed.contains(&level))
        .then(|| format!("the manager has not passed the review for {level} products"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everything(reviewed: &[Level]) -> Saved {
        Saved::Everything { organization: 134, administrator: 2345, reviewed: reviewed.to_vec() }
    }

    #[test]
    fn the_note_names_the_saved_profile_and_whether_the_review_is_skipped() {
        let product = |level, automatic_review| Product { level, automatic_review, ..Product::default() };
        let ov = product(Some(Level::Ov), None);
        let names = "It names the saved company 134 and manager 2345";
        let not_skipped = "; the review of the organization is not skipped: ";
        let cases = [
            (Saved::No, Some(&ov), None),
            (everything(&[Level::Ov]), Some(&ov), Some(format!("{names}."))),
            (everything(&[]), None, Some(format!("{names}."))),
            (everything(&[]), Some(&product(Some(Level::Dv), None)), Some(format!("{names}."))),
            (
                everything(&[Level::Ov]),
                Some(&product(Some(Level::Ev), None)),
                Some(format!("{names}{not_skipped}the manager has not passed the review for EV products.")),
            ),
            (
                everything(&[Level::Ov]),
                Some(&product(Some(Level::Ov), Some(false))),
                Some(format!("{names}{not_skipped}Chinese SM products have no automatic review.")),
            ),
            (
                Saved::NotUsable("the saved profile is under review".to_owned()),
                Some(&ov),
                Some(
                    "It brings the data of the OrganizationProfile, since the saved profile is under review."
                        .to_owned(),
                ),
            ),
        ];
        for (saved, product, note_wanted) in cases {
            assert_eq!(note(&saved, product), note_wanted, "{saved:?} {product:?}");
        }
    }
}
