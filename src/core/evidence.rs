//! How a stored application is recognised as the one that was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sha2::{Digest, Sha256};

/// Facts by which a stored application is recognised: digests, since the facts include personal data.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    facts: BTreeMap<&'static str, [u8; 32]>,
    /// The facts that no cloud rewrites: names, CSR, the name of the organisation.
    identity: BTreeSet<&'static str>,
    /// Those of them that cannot be edited once an application is intended: names, and where the key is made.
    fixed: BTreeSet<&'static str>,
    /// Parts of the application are never shown by the cloud.
    partial: bool,
}

/// Without the digests, from which short values could be guessed.
impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("facts", &self.facts.keys())
            .field("partial", &self.partial)
            .finish_non_exhaustive()
    }
}

impl Evidence {
    /// Adds one fact under a name; white space around the value does not count.
    pub fn add(&mut self, name: &'static str, value: impl AsRef<[u8]>) {
        self.facts.insert(name, Sha256::digest(value.as_ref().trim_ascii()).into());
    }

    /// Adds one fact that identifies the application, and that no cloud rewrites.
    pub fn add_identity(&mut self, name: &'static str, value: impl AsRef<[u8]>) {
        self.add(name, value);
        self.mark_identity(name);
    }

    /// Adds one fact that identifies the application, and that is the same for as long as the order is frozen.
    pub fn add_fixed(&mut self, name: &'static str, value: impl AsRef<[u8]>) {
        self.add_identity(name, value);
        self.fixed.insert(name);
    }

    /// Adds the names of a certificate under the cloud's two words. That there are no further names is a fact too: an
    /// application for fewer names is another one.
    pub fn add_names(
        &mut self,
        (first, further): (&'static str, &'static str),
        common_name: &str,
        others: impl IntoIterator<Item = impl AsRef<str>>,
    ) {
        let common_name = common_name.to_ascii_lowercase();
        let others: BTreeSet<_> = others.into_iter().map(|name| name.as_ref().to_ascii_lowercase()).collect();
        let others: Vec<_> = others.into_iter().filter(|name| *name != common_name).collect();
        self.add_fixed(first, &common_name);
        self.add_fixed(further, others.join("\n"));
    }

    /// Marks an added fact as one that identifies the application, and that no cloud rewrites.
    pub fn mark_identity(&mut self, name: &'static str) {
        if self.facts.contains_key(name) {
            self.identity.insert(name);
        }
    }

    /// The facts that identify the application and have another value here than in `sent`. A fact that is missing here is
    /// no contradiction.
    #[must_use]
    pub fn contradictions(&self, sent: &Evidence) -> Vec<&'static str> {
        self.differing(sent, &sent.identity)
    }

    /// The same, for what no edit of a frozen order or of what it refers to can change: that differs also from an
    /// application that was sent before such an edit.
    #[must_use]
    pub fn fixed_contradictions(&self, sent: &Evidence) -> Vec<&'static str> {
        self.differing(sent, &sent.fixed)
    }

    fn differing(&self, sent: &Evidence, names: &BTreeSet<&'static str>) -> Vec<&'static str> {
        let differs = |name: &&&'static str| match (self.facts.get(**name), sent.facts.get(**name)) {
            (Some(here), Some(sent)) => here != sent,
            _ => false,
        };
        names.iter().filter(differs).copied().collect()
    }

    /// Marks that the application has parts that the cloud does not show, such as the id of a saved profile: an
    /// application that differs only in those parts looks the same.
    pub fn set_partial(&mut self) {
        self.partial = true;
    }

    /// Whether there are any facts at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Whether another application may look the same as this one.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.partial
    }

    /// Whether every fact of `sent` is here too, and `sent` is complete. Without facts nothing is proved.
    #[must_use]
    pub fn shows(&self, sent: &Evidence) -> bool {
        !sent.partial && self.resembles(sent)
    }

    /// Whether every fact of `sent` is here too. If `sent` is partial, this needs further proof, such as the cloud's log
    /// of calls.
    #[must_use]
    pub fn resembles(&self, sent: &Evidence) -> bool {
        let stands_here = |(name, digest): (&&str, &[u8; 32])| self.facts.get(*name) == Some(digest);
        !sent.facts.is_empty() && sent.facts.iter().all(stands_here)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(facts: &[(&'static str, &str)]) -> Evidence {
        let mut evidence = Evidence::default();
        for (name, value) in facts {
            evidence.add(name, value);
        }
        evidence
    }

    #[test]
    fn evidence_needs_every_fact_and_at_least_one() {
        let sent = evidence(&[("domain", "a.example"), ("organisation", "Acme")]);
        let stored = [
            (evidence(&[("domain", "a.example "), ("organisation", "Acme"), ("city", "Guangzhou")]), true),
            (evidence(&[("domain", "a.example")]), false),
            (evidence(&[("domain", "a.example"), ("organisation", "Other")]), false),
            (Evidence::default(), false),
        ];
        for (stored, shows) in stored {
            assert_eq!(stored.shows(&sent), shows, "{stored:?}");
        }
        assert!(!sent.shows(&Evidence::default()));
    }

    #[test]
    fn what_the_cloud_shows_in_part_resembles_and_is_not_shown() {
        let mut by_ids = evidence(&[("domain", "a.example")]);
        by_ids.set_partial();
        let stored = evidence(&[("domain", "a.example"), ("organisation", "Other")]);
        assert!(stored.resembles(&by_ids) && !stored.shows(&by_ids));
        assert!(!evidence(&[("domain", "b.example")]).resembles(&by_ids));
    }

    #[test]
    fn only_what_identifies_an_application_contradicts_it_and_only_where_it_is_shown() {
        let mut sent = evidence(&[("phone", "020-1")]);
        sent.add_identity("domain", "a.example");
        sent.add_identity("csr", "A");
        let cases = [
            (vec![], vec![]),
            (vec![("domain", "a.example"), ("csr", "A"), ("phone", "020-1")], vec![]),
            (vec![("domain", "a.example "), ("phone", "+86 20 1")], vec![]),
            (vec![("domain", "a.example"), ("csr", "B")], vec!["csr"]),
            (vec![("domain", "b.example"), ("csr", "B"), ("more", "x")], vec!["csr", "domain"]),
        ];
        for (stored, wanted) in cases {
            assert_eq!(evidence(&stored).contradictions(&sent), wanted, "{stored:?}");
            assert_eq!(evidence(&stored).fixed_contradictions(&sent), Vec::<&str>::new(), "{stored:?}");
        }
        sent.add_fixed("domain", "a.example");
        let other = evidence(&[("domain", "b.example"), ("csr", "B")]);
        assert_eq!(
            other.fixed_contradictions(&sent),
            ["domain"],
            "a CSR may come from a Secret that is edited"
        );
    }

    #[test]
    fn no_digest_is_printed() {
        assert_eq!(
            format!("{:?}", evidence(&[("phone", "020-1")])),
            r#"Evidence { facts: ["phone"], partial: false, .. }"#
        );
    }
}
