//! Finds the way from a server certificate up, by names and signatures.
//!
//! Bundles come in any order, and with certificates that have no place: a root, a CA of another chain, a CA of the same
//! name with another key. What is found is checked; what is left over is either no matter, or it is named.

use x509_parser::certificate::X509Certificate;

use crate::core::chain::error::ChainError;
use crate::core::signature::{self, SignatureError};
use crate::core::x509_name::{Comparable, printable};

/// The most steps of the search. A real bundle takes about ten; one that was made to take for ever ends here, with the
/// best way so far.
const MOST_STEPS: usize = 10_000;

/// The certificates of a bundle, and who signed whom.
pub(super) struct Certificates<'a> {
    all: &'a [X509Certificate<'a>],
    subjects: Vec<Comparable>,
    issuers: Vec<Comparable>,
    /// For each certificate and each possible issuer of it.
    links: Vec<Vec<Link>>,
}

/// What one certificate has to do with another that may be its issuer.
#[derive(Clone, PartialEq, Eq)]
enum Link {
    /// It has another name.
    None,
    /// It signed it.
    Signed,
    /// It has the name, and the signature is of another key.
    Wrong,
    /// It has the name, and nobody here can check the signature.
    Unsupported(String),
}

/// A way up: places in the bundle.
#[derive(Clone, Debug, Default)]
pub(super) struct Path {
    /// The leaf and the CAs above it, without a root.
    pub(super) certificates: Vec<usize>,
    /// The root that signed the last of them.
    pub(super) root: Option<usize>,
}

impl<'a> Certificates<'a> {
    pub(super) fn new(all: &'a [X509Certificate<'a>]) -> Self {
        let subjects: Vec<_> = all.iter().map(|of| Comparable::from(of.subject())).collect();
        let issuers: Vec<_> = all.iter().map(|of| Comparable::from(of.issuer())).collect();
        let links = all.iter().zip(&issuers).map(|(of, name)| {
            let possible = all.iter().zip(&subjects);
            possible
                .map(|(issuer, subject)| if subject == name { link(issuer, of) } else { Link::None })
                .collect()
        });
        let links = links.collect();
        Self { all, subjects, issuers, links }
    }

    /// The one certificate that is not a CA's. Roots older than X.509 v3 do not say that they are CAs, but are
    /// self-issued.
    pub(super) fn leaf(&self) -> Result<usize, ChainError> {
        let is_leaf = |at: &usize| self.get(*at).is_some_and(|of| !of.is_ca()) && !self.is_self_issued(*at);
        let mut leaves = (0..self.all.len()).filter(is_leaf);
        let leaf = leaves.next().ok_or(ChainError::NoLeaf)?;
        match leaves.next() {
            Some(other) => Err(ChainError::SeveralLeaves(self.name(leaf), self.name(other))),
            None => Ok(leaf),
        }
    }

    /// The longest way from the leaf up, so that clients that know the oldest root only are served too; of two equally
    /// long ones that which ends at a root.
    ///
    /// What the way leaves out must be of no use to anybody: another way up, what stands beside a way that is complete
    /// up to its root, or a CA whose name is on the way with another key. Anything else may be a part of the chain whose
    /// neighbour is missing.
    pub(super) fn path(&self, leaf: usize) -> Result<Path, ChainError> {
        let mut search = Search { certificates: self, longest: None, complete: None, steps: MOST_STEPS };
        search.go(&mut vec![leaf]);
        let longest = search.longest.unwrap_or_default();
        let judged = if longest.root.is_some() { Ok(()) } else { self.judge(&longest) };
        match (judged, search.complete) {
            (Ok(()), _) => Ok(longest),
            (Err(_), Some(complete)) => Ok(complete),
            (Err(error), None) => Err(error),
        }
    }

    /// Refuses a way that does not end at a root, and may lack a part that the bundle shows.
    fn judge(&self, path: &Path) -> Result<(), ChainError> {
        self.refuse_a_wrong_issuer(path)?;
        self.refuse_unrelated(path)
    }

    /// Refuses a way that ends because a certificate of its last issuer is there and did not sign.
    fn refuse_a_wrong_issuer(&self, path: &Path) -> Result<(), ChainError> {
        let Some(&last) = path.certificates.last() else { return Ok(()) };
        // A CA with a new key, certified by its old one, has the name of its issuer itself.
        let links = || {
            let links = self.links.get(last).into_iter().flatten().enumerate();
            links.filter(|(issuer, _)| !self.is_same_ca(last, *issuer)).map(|(_, link)| link)
        };
        if links().any(|link| *link == Link::Signed) {
            return Ok(());
        }
        let (certificate, issuer) = (self.name(last), self.issuer_name(last));
        match links().find(|link| **link != Link::None) {
            Some(Link::Unsupported(algorithm)) => {
                Err(ChainError::UnsupportedSignature { certificate, issuer, algorithm: algorithm.clone() })
            }
            Some(_) => Err(ChainError::BadSignature { certificate, issuer }),
            None => Ok(()),
        }
    }

    fn refuse_unrelated(&self, path: &Path) -> Result<(), ChainError> {
        let related = self.above(path.certificates.first().copied());
        let cas = path.certificates.iter().skip(1);
        let on_path = |name: &Comparable| cas.clone().any(|at| self.subjects.get(*at) == Some(name));
        let mut left = (0..self.all.len()).filter(|at| !related.contains(at));
        let unrelated = left.find(|at| !self.subjects.get(*at).is_some_and(on_path));
        match (unrelated, path.certificates.last()) {
            (Some(unrelated), Some(&last)) => Err(ChainError::Unrelated {
                unrelated: self.name(unrelated),
                last: self.name(last),
                missing: self.issuer_name(last),
            }),
            _ => Ok(()),
        }
    }

    /// All certificates that some way from the leaf up leads to, and the leaf.
    fn above(&self, leaf: Option<usize>) -> Vec<usize> {
        let mut found: Vec<usize> = leaf.into_iter().collect();
        let mut next = 0;
        while let Some(&at) = found.get(next) {
            let fresh: Vec<_> = self.signers(at).filter(|issuer| !found.contains(issuer)).collect();
            found.extend(fresh);
            next += 1;
        }
        found
    }

    fn signers(&self, at: usize) -> impl Iterator<Item = usize> {
        let links = self.links.get(at).into_iter().flatten().enumerate();
        links.filter(|(_, link)| **link == Link::Signed).map(|(issuer, _)| issuer)
    }

    fn get(&self, at: usize) -> Option<&'a X509Certificate<'a>> {
        self.all.get(at)
    }

    fn is_self_issued(&self, at: usize) -> bool {
        self.subjects.get(at) == self.issuers.get(at)
    }

    /// Whether it ends every way. A CA that changed its key certifies the new one with the old one under one name:
    /// that is self-issued too, and no root.
    fn is_root(&self, at: usize) -> bool {
        let own = self.links.get(at).and_then(|links| links.get(at));
        matches!(own, Some(Link::Signed | Link::Unsupported(_)))
    }

    /// Whether two are certificates of one CA: they have one name and one key.
    fn is_same_ca(&self, one: usize, other: usize) -> bool {
        let key = |at| self.get(at).map(|of| of.public_key().raw);
        self.subjects.get(one) == self.subjects.get(other) && key(one) == key(other)
    }

    fn name(&self, at: usize) -> String {
        self.get(at).map(|of| printable(of.subject())).unwrap_or_default()
    }

    fn issuer_name(&self, at: usize) -> String {
        self.get(at).map(|of| printable(of.issuer())).unwrap_or_default()
    }
}

fn link(issuer: &X509Certificate<'_>, of: &X509Certificate<'_>) -> Link {
    let signature = &of.signature_value.data;
    match signature::verify(
        issuer.public_key(),
        &of.signature_algorithm,
        signature,
        of.tbs_certificate.as_ref(),
    ) {
        Ok(()) => Link::Signed,
        Err(SignatureError::Wrong) => Link::Wrong,
        Err(SignatureError::Unsupported(algorithm)) => Link::Unsupported(algorithm),
    }
}

/// A search in depth for the best way.
struct Search<'s, 'a> {
    certificates: &'s Certificates<'a>,
    longest: Option<Path>,
    /// The longest that ends at a root.
    complete: Option<Path>,
    steps: usize,
}

impl Search<'_, '_> {
    fn go(&mut self, way: &mut Vec<usize>) {
        self.offer(way, None);
        let Some(&last) = way.last() else { return };
        for issuer in self.certificates.signers(last) {
            if self.steps == 0 {
                return;
            }
            self.steps -= 1;
            if way.iter().any(|at| self.certificates.is_same_ca(*at, issuer)) {
                continue;
            }
            if self.certificates.is_root(issuer) {
                self.offer(way, Some(issuer));
            } else {
                way.push(issuer);
                self.go(way);
                way.pop();
            }
        }
    }

    fn offer(&mut self, way: &[usize], root: Option<usize>) {
        let path = Path { certificates: way.to_vec(), root };
        if root.is_some() && self.complete.as_ref().is_none_or(|best| path.rank() > best.rank()) {
            self.complete = Some(path.clone());
        }
        if self.longest.as_ref().is_none_or(|best| path.rank() > best.rank()) {
            self.longest = Some(path);
        }
    }
}

impl Path {
    fn rank(&self) -> (usize, bool) {
        (self.certificates.len(), self.root.is_some())
    }
}
