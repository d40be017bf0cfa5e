//! Which certificate takes the place of another one. Pure.
//!
//! A reissue needs one link of the two; other successors must name the one that they follow, and have its names once they have
//! any. Where a cloud has no links, what it filed itself for the same names is followed. A certificate there that still waits for its application is applied for only if the user names it, since it could have been bought for
//! something else.

use std::collections::BTreeSet;

use crate::core::names::Names;
use crate::core::observation::Stage;
use crate::core::succession::{Candidate, Link, Way};

/// Which certificate takes the place of another one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// The cloud shows none.
    None,
    /// This one.
    One(String),
    /// One that is linked from one side only: it counts once the other side shows the link, or the user names it.
    Unconfirmed(String),
    /// One that waits for its application, and has to be named by the user.
    Unnamed(String),
    /// Several, or links that contradict each other.
    Ambiguous(Vec<String>),
}

/// Chooses among what the cloud shows.
#[must_use]
pub fn choose(candidates: &[Candidate], names: &Names) -> Choice {
    let fits = |candidate: &&Candidate| is_alive(candidate.stage) && has_the_names(candidate, names);
    let fitting: Vec<&Candidate> = candidates.iter().filter(fits).collect();
    let ids = || fitting.iter().map(|candidate| candidate.certificate_id.clone()).collect();
    if fitting.iter().any(|candidate| matches!(candidate.link, Link::Contradicted(_))) {
        return Choice::Ambiguous(ids());
    }
    // What nobody applied for and nothing links to may be anything: it is offered only where there is nothing else.
    let (unnamed, followed): (Vec<&&Candidate>, Vec<&&Candidate>) = fitting
        .iter()
        .partition(|candidate| candidate.link == Link::None && candidate.stage == Stage::AwaitingInformation);
    match (followed.as_slice(), unnamed.as_slice()) {
        ([], []) => Choice::None,
        ([one], _) if is_confirmed(one) => Choice::One(one.certificate_id.clone()),
        ([one], _) => Choice::Unconfirmed(one.certificate_id.clone()),
        ([], [one]) => Choice::Unnamed(one.certificate_id.clone()),
        _ => Choice::Ambiguous(ids()),
    }
}

/// Whether the links show that a certificate follows the other one.
fn is_confirmed(candidate: &Candidate) -> bool {
    match (&candidate.link, candidate.way) {
        (Link::Both | Link::Back, _)
        | (Link::Forward, Way::Reissue)
        | (Link::None, Way::SameSpecification) => true,
        (Link::Forward | Link::None | Link::Contradicted(_), _) => false,
    }
}

/// Whether something can come of a certificate, or already has. A rejected one can be handed in again.
fn is_alive(stage: Stage) -> bool {
    !matches!(
        stage,
        Stage::Revoking | Stage::AwaitingRevocationLetter | Stage::Revoked | Stage::Expired | Stage::Refunded
    )
}

/// Whether it is for these names, as far as it has names yet. A CA may add one.
fn has_the_names(candidate: &Candidate, names: &Names) -> bool {
    let held: BTreeSet<String> = candidate.names.iter().map(|name| name.to_ascii_lowercase()).collect();
    match candidate.link {
        // A list shows the primary name alone; the application of the successor compares them all.
        Link::None => held.contains(names.common_name().as_str()) || held.is_empty(),
        _ => held.is_empty() || names.all().iter().all(|name| held.contains(*name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(id: &str, way: Way, link: Link, stage: Stage) -> Candidate {
        Candidate {
            certificate_id: id.to_owned(),
            way,
            link,
            stage,
            names: vec!["www.acme.example".to_owned()],
            not_after: None,
        }
    }

    fn names() -> Names {
        Names::parse("www.acme.example", &[]).unwrap()
    }

    #[test]
    fn links_confirm_a_successor_by_the_way_that_it_came_to_be() {
        let third = || Link::Contradicted("third".to_owned());
        let one = || Choice::One("N".to_owned());
        let half = || Choice::Unconfirmed("N".to_owned());
        let both = || Choice::Ambiguous(vec!["N".to_owned()]);
        let waiting = Stage::AwaitingInformation;
        let table = [
            (Way::Reissue, Link::Both, Stage::Validating, one()),
            (Way::Reissue, Link::Forward, Stage::Issuing, one()),
            (Way::Reissue, Link::Back, Stage::Issued, one()),
            (Way::Reissue, third(), Stage::Issued, both()),
            (Way::Renewal, Link::Both, waiting, one()),
            (Way::Renewal, Link::Back, waiting, one()),
            (Way::Renewal, Link::Forward, waiting, half()),
            (Way::Subscription, Link::Forward, Stage::Unrecognised, half()),
            (Way::Subscription, Link::Back, Stage::Reviewing, one()),
            (Way::Subscription, third(), Stage::Reviewing, both()),
            (Way::SameSpecification, Link::None, Stage::Validating, one()),
            (Way::SameSpecification, Link::None, Stage::Rejected, one()),
            (Way::SameSpecification, Link::None, waiting, Choice::Unnamed("N".to_owned())),
            (Way::SameSpecification, Link::None, Stage::Revoked, Choice::None),
            (Way::Renewal, Link::Both, Stage::Refunded, Choice::None),
        ];
        for (way, link, stage, wanted) in table {
            let case = format!("{way} {link:?} {stage}");
            assert_eq!(choose(&[candidate("N", way, link, stage)], &names()), wanted, "{case}");
        }
    }

    #[test]
    fn several_are_ambiguous_and_one_that_waits_yields_to_one_that_runs() {
        let runs = |id| candidate(id, Way::SameSpecification, Link::None, Stage::Validating);
        let waits = |id| candidate(id, Way::SameSpecification, Link::None, Stage::AwaitingInformation);
        let two = Choice::Ambiguous(vec!["N".to_owned(), "M".to_owned()]);
        assert_eq!(choose(&[runs("N"), runs("M")], &names()), two);
        assert_eq!(choose(&[waits("N"), waits("M")], &names()), two);
        assert_eq!(choose(&[runs("N"), waits("M")], &names()), Choice::One("N".to_owned()));
    }

    #[test]
    fn a_certificate_for_other_names_is_none() {
        let of = |names: &[&str]| Candidate {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            ..candidate("N", Way::Renewal, Link::Both, Stage::Validating)
        };
        let one = Choice::One("N".to_owned());
        assert_eq!(choose(&[of(&["shop.acme.example"])], &names()), Choice::None);
        assert_eq!(choose(&[of(&[])], &names()), one);
        assert_eq!(choose(&[of(&["WWW.acme.example", "acme.example"])], &names()), one);
    }
}
