//! Which saved profile matches.

use proptest::prelude::*;

use super::support::{company, contact, data, manager};
use crate::core::application::{Contact, Profile};
use crate::profile::matching::{Found, Wanted, administrator, organization};
use crate::provider::directory::ReviewState::{Approved, Expired, Expiring, InReview, Invalid};
use crate::provider::directory::{SavedAdministrator, SavedOrganization};

fn wanted(profile: &Profile) -> Wanted<'_> {
    Wanted { organization_id: None, administrator_id: None, profile }
}

fn find(wanted_company: [&str; 3], saved: &[SavedOrganization]) -> Found {
    organization(&wanted(&data(wanted_company, Contact::default())), saved)
}

fn find_manager(who: [&str; 3], saved: &[SavedAdministrator]) -> Found {
    administrator(&wanted(&data(["Acme", "", ""], contact(who))), saved)
}

#[test]
fn a_name_is_the_same_however_it_is_typed() {
    let same = [
        ("Acme Trading Co., Ltd.", "ACME  Trading\tCo., Ltd. "),
        ("示例科技（深圳）有限公司", "示例科技(深圳)有限公司"),
        ("Acme", "Ａｃｍｅ"),
        ("Straße AG", "STRASSE AG"),
        ("Café SA", "Cafe\u{301} SA"),
        ("Acme\u{3000}Trading", "Acme Trading"),
        ("ΟΔΟΣ", "οδος"),
        ("ﬁrma", "FIRMA"),
    ];
    for (one, other) in same {
        assert_eq!(find([one, "", ""], &[company(1, [other, "", ""])]), Found::One(1), "{one} {other}");
        assert_eq!(find([other, "", ""], &[company(1, [one, "", ""])]), Found::One(1), "{other} {one}");
    }
    for (one, other) in [("Acme Ltd.", "Acme Ltd"), ("Acme", "Acme Trading"), ("Acme", ""), ("", "")] {
        assert_ne!(find([one, "", ""], &[company(1, [other, "", ""])]), Found::One(1), "{one} {other}");
    }
}

#[test]
fn city_and_then_address_break_ties_and_are_no_condition() {
    let here = ["Acme", "Guangzhou", "No. 101"];
    let cases: Vec<(&str, Vec<SavedOrganization>, Found)> = vec![
        ("none", vec![company(1, ["Other", "Guangzhou", "No. 101"])], Found::Nobody),
        ("one, elsewhere", vec![company(1, ["acme", "Shenzhen", "No. 7"])], Found::One(1)),
        (
            "by city",
            vec![company(1, ["Acme", "Shenzhen", "No. 101"]), company(2, ["Acme", " GUANGZHOU", "No. 7"])],
            Found::One(2),
        ),
        (
            "by address",
            vec![company(1, ["Acme", "Guangzhou", "No. 7"]), company(2, ["Acme", "Guangzhou", "no. 101"])],
            Found::One(2),
        ),
        (
            "by address where no city fits",
            vec![company(1, ["Acme", "", "No. 101"]), company(2, ["Acme", "Shenzhen", "No. 7"])],
            Found::One(1),
        ),
        (
            "the same twice",
            vec![company(1, here), company(2, here), company(3, ["Acme", "Shenzhen", ""])],
            Found::Several(vec![1, 2]),
        ),
        (
            "nothing to tell them apart",
            vec![company(1, ["Acme", "A", ""]), company(2, ["Acme", "B", ""])],
            Found::Several(vec![1, 2]),
        ),
    ];
    for (name, saved, found) in cases {
        assert_eq!(find(here, &saved), found, "{name}");
    }
    assert_eq!(find(["", "Guangzhou", ""], &[company(1, here)]), Found::NotNamed);
}

#[test]
fn a_manager_is_found_by_address_then_by_name_then_by_department() {
    let ning = ["Ning", "Huang", "pki@acme.example"];
    let cases: Vec<(&str, Vec<SavedAdministrator>, Found)> = vec![
        (
            "nobody",
            vec![manager(1, ["Wei", "Chen", "wei@acme.example", "Platform"], Approved)],
            Found::Nobody,
        ),
        ("by address", vec![manager(1, ["N.", "H.", "PKI@Acme.example", ""], InReview)], Found::One(1)),
        ("by name", vec![manager(1, ["ning", "HUANG", "old@acme.example", ""], Invalid)], Found::One(1)),
        (
            "the address before the name",
            vec![
                manager(1, ["Ning", "Huang", "old@acme.example", ""], Approved),
                manager(2, ["Wei", "Chen", "pki@acme.example", ""], InReview),
            ],
            Found::One(2),
        ),
        (
            "a shared address, told apart by the name",
            vec![
                manager(1, ["Wei", "Chen", "pki@acme.example", ""], Approved),
                manager(2, ["Ning", "Huang", "pki@acme.example", ""], InReview),
            ],
            Found::One(2),
        ),
        (
            "told apart by the department",
            vec![
                manager(1, ["Ning", "Huang", "pki@acme.example", "Sales"], Approved),
                manager(2, ["Ning", "Huang", "pki@acme.example", "PLATFORM"], InReview),
            ],
            Found::One(2),
        ),
        (
            "saved anew after the approval ran out",
            vec![manager(1, ["", "", ning[2], ""], Expired), manager(2, ["", "", ning[2], ""], Approved)],
            Found::One(2),
        ),
        (
            "approved before expiring",
            vec![manager(1, ["", "", ning[2], ""], Expiring), manager(2, ["", "", ning[2], ""], Approved)],
            Found::One(2),
        ),
        (
            "equal",
            vec![manager(1, ["", "", ning[2], ""], Approved), manager(2, ["", "", ning[2], ""], Approved)],
            Found::Several(vec![1, 2]),
        ),
    ];
    for (name, saved, found) in cases {
        assert_eq!(find_manager(ning, &saved), found, "{name}");
    }
    let saved = [manager(1, ["Ning", "Huang", "", ""], Approved)];
    assert_eq!(find_manager(["Ning", "", ""], &saved), Found::NotNamed);
    assert_eq!(find_manager(["Ning", "Huang", ""], &saved), Found::One(1));
    assert_eq!(find_manager(["Huang", "Ning", ""], &saved), Found::Nobody);
}

#[test]
fn an_id_that_is_given_counts_alone_and_must_be_there() {
    let profile = data(["Acme", "", ""], contact(["Ning", "Huang", ""]));
    let given = |id| Wanted { organization_id: Some(id), administrator_id: Some(id), profile: &profile };
    let companies = [company(1, ["Acme", "", ""]), company(2, ["Other", "", ""])];
    let managers = [manager(1, ["Ning", "Huang", "", ""], Approved), manager(2, ["", "", "", ""], Invalid)];
    for (id, found) in [(2, Found::One(2)), (3, Found::Nobody)] {
        assert_eq!(organization(&given(id), &companies), found);
        assert_eq!(administrator(&given(id), &managers), found);
    }
}

proptest! {
    /// Whatever is saved, what is found has the wanted name, and nothing that fits equally well is passed over.
    #[test]
    fn nothing_is_guessed(saved in prop::collection::vec(("[ab]{1,2}", "[xy]?", "[pq]?"), 0..6)) {
        let saved: Vec<_> = (1..)
            .zip(&saved)
            .map(|(id, (name, city, address))| company(id, [name, city, address]))
            .collect();
        let named: Vec<_> = saved.iter().filter(|one| one.name == "a").collect();
        match find(["A", "X", "P"], &saved) {
            Found::Nobody => prop_assert!(named.is_empty()),
            Found::Several(ids) => {
                prop_assert!(ids.len() > 1 && ids.iter().all(|id| named.iter().any(|one| one.id == *id)));
                let twins: Vec<_> = named.iter().filter(|one| ids.contains(&one.id)).collect();
                let is_x = twins.iter().all(|one| one.city.as_deref() == Some("x"));
                prop_assert!(is_x || twins.iter().all(|one| one.city.as_deref() != Some("x")));
            }
            Found::One(id) => {
                let one = named.iter().find(|one| one.id == id).unwrap();
                let equals = named.iter().filter(|other| (&other.city, &other.address) == (&one.city, &one.address));
                prop_assert_eq!(equals.count(), 1);
            }
            Found::NotNamed => prop_assert!(false, "it is named"),
        }
    }
}
