//! What a bought product allows, as far as the cloud names the product.

use crate::core::conditions::Problem;
use crate::core::names::Names;
use crate::core::product::{Level, Product};
use crate::provider::product::{uncovered, unfit};

/// The products by number, as the page on `CreateCertificate` lists them: those with an extended review of the
/// organisation, and those with a review of it. The others check control of the names alone.
const EV: &[u32] = &[3, 4, 8, 16, 17, 20, 24, 31, 32, 40, 41, 46, 47, 59, 60, 61];
const OV: &[u32] =
    &[5, 6, 7, 9, 10, 13, 14, 15, 18, 19, 21, 22, 23, 28, 29, 30, 37, 38, 39, 43, 44, 45, 51, 52, 53, 57, 58];
const DV: &[u32] = &[2, 11, 12, 25, 26, 27, 33, 34, 35, 42, 48, 49, 50, 54, 55, 56, 83];

/// Products with the Chinese algorithms (SM2). The page on saved profiles says that their review is never skipped.
const SM: &[u32] = &[37, 38, 39, 40, 41, 51, 52, 53, 54, 55, 56];

/// What the CA checks for a product (`PackageType`). Numbers get added; of an unknown one, at most it is known that it
/// is not DV.
#[must_use]
pub fn level(package_type: Option<u32>, is_dv: Option<bool>) -> Option<Level> {
    let known = package_type.and_then(|number| {
        let levels = [(EV, Level::Ev), (OV, Level::Ov), (DV, Level::Dv)];
        levels.into_iter().find(|(numbers, _)| numbers.contains(&number)).map(|(_, level)| level)
    });
    known.or_else(|| (is_dv == Some(true)).then_some(Level::Dv))
}

/// Whether the review of a saved profile can be skipped: only for the products with Chinese algorithms it is known
/// that it cannot.
/// `is_sm` is `SMCert`.
#[must_use]
pub fn automatic_review(package_type: Option<u32>, is_sm: Option<bool>) -> Option<bool> {
    let is_listed = package_type.is_some_and(|number| SM.contains(&number));
    (is_listed || is_sm == Some(true)).then_some(false)
}

/// Checks that the product covers these names, and allows a person's application if it is one.
pub fn check(product: &Product, names: &Names, personal: bool) -> Result<(), Problem> {
    let problem = uncovered(product, names).or_else(|| person(product, personal));
    problem.map_or(Ok(()), |problem| Err(unfit(product, &problem)))
}

fn person(product: &Product, personal: bool) -> Option<String> {
    (personal && product.domain_validated == Some(false)).then(|| {
        "is for organizations: set companyType Company (or remove it) and spec.organizationProfileRef"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_of_the_list_has_one_level() {
        let mut all: Vec<u32> = [EV, OV, DV].concat();
        all.sort_unstable();
        // 1 and 36 are not assigned; 2 and 83 are free.
        let listed: Vec<u32> = (2..=61).filter(|number| *number != 36).chain([83]).collect();
        assert_eq!(all, listed);
        assert_eq!(level(Some(16), Some(false)), Some(Level::Ev));
        assert_eq!(level(Some(14), None), Some(Level::Ov));
        assert_eq!(level(Some(999), Some(true)), Some(Level::Dv));
        assert_eq!(level(Some(999), Some(false)), None);
        assert_eq!(
            (automatic_review(Some(37), None), automatic_review(Some(14), Some(false))),
            (Some(false), None)
        );
        assert_eq!(automatic_review(None, Some(true)), Some(false));
    }
}
