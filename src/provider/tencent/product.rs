//! What a bought product allows, as far as the cloud names the product.

use crate::core::conditions::Problem;
use crate::core::names::Names;
use crate::core::product::{Algorithms, Level, Product};
use crate::provider::product::{uncovered, unfit};

/// The products by number, as the page on `CreateCertificate` lists them: those with an extended review of the
/// organisation, and those with a review of it. The others check control of the names alone.
const EV: &[u32] = &[3, 4, 8, 16, 17, 20, 24, 31, 32, 40, 41, 46, 47, 59, 60, 61];
const OV: &[u32] =
    &[5, 6, 7, 9, 10, 13, 14, 15, 18, 19, 21, 22, 23, 28, 29, 30, 37, 38, 39, 43, 44, 45, 51, 52, 53, 57, 58];
const DV: &[u32] = &[2, 11, 12, 25, 26, 27, 33, 34, 35, 42, 48, 49, 50, 54, 55, 56, 83];

/// Products with the Chinese algorithms: SM2 of `WoTrus` and of the `DNSPod` series.
const SM2: &[u32] = &[33, 34, 35, 37, 38, 39, 40, 41, 51, 52, 53, 54, 55, 56];

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

/// What the cloud says about the algorithms of a product: `SMCert` of both reads, and of the list `IsSM` too; the
/// product's number; its name, and the `EncryptAlgorithm` of the list.
///
/// Inferred: the words by which a name means SM2, and that one of these signs is enough, whatever the others say. A
/// product that counts as SM2 without being one is not submitted with a key of the cluster, which the message explains;
/// the opposite costs a certificate that nothing can serve.
#[must_use]
pub fn algorithms<'a>(
    package_type: Option<u32>,
    flags: [Option<bool>; 2],
    words: impl IntoIterator<Item = &'a str>,
) -> Option<Algorithms> {
    let is_listed = package_type.is_some_and(|number| SM2.contains(&number));
    let mut named: Vec<_> = words.into_iter().filter_map(Algorithms::named_in).collect();
    let of_flag = |is_sm| if is_sm { Algorithms::Sm2 } else { Algorithms::International };
    named.extend(flags.into_iter().flatten().map(of_flag));
    if is_listed || named.contains(&Algorithms::Sm2) {
        return Some(Algorithms::Sm2);
    }
    named.first().copied()
}

/// Whether the review of a saved profile can be skipped: only for the products with Chinese algorithms it is known
/// that it cannot (the page on saved profiles).
#[must_use]
pub fn automatic_review(algorithms: Option<Algorithms>) -> Option<bool> {
    (algorithms == Some(Algorithms::Sm2)).then_some(false)
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
    }

    #[test]
    fn a_product_is_sm2_by_its_number_its_flags_or_its_name() {
        let (sm2, international) = (Some(Algorithms::Sm2), Some(Algorithms::International));
        let cases = [
            (None, [None, None], "", None),
            (Some(14), [None, None], "TrustAsia OV", None),
            (Some(14), [Some(false), None], "TrustAsia OV", international),
            (None, [None, Some(false)], "", international),
            (None, [None, None], "ECC", international),
            (None, [Some(true), None], "", sm2),
            (None, [None, Some(true)], "", sm2),
            (Some(999), [None, None], "DNSPod SM2 DV", sm2),
            // Contradictions: one sign is enough.
            (Some(37), [Some(false), Some(false)], "", sm2),
            (Some(14), [Some(false), Some(true)], "RSA", sm2),
            (Some(14), [Some(true), Some(false)], "", sm2),
            (Some(14), [Some(false), None], "国密", sm2),
        ];
        for (number, flags, words, expected) in cases {
            let found = algorithms(number, flags, [words]);
            assert_eq!(found, expected, "{number:?} {flags:?} {words}");
            assert_eq!(automatic_review(found), (expected == sm2).then_some(false), "{number:?}");
        }
        // The numbers of both lists of products, the international and the Chinese one.
        let listed: Vec<u32> = (33..=41).filter(|number| *number != 36).chain(51..=56).collect();
        assert_eq!(SM2, listed);
    }
}
