//! The report of a crash test.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::check::Findings;

/// The counters, shared by many tasks.
pub(crate) struct Tally {
    seed: u64,
    started: Instant,
    counters: Mutex<BTreeMap<(Kind, &'static str), Arc<AtomicUsize>>>,
    sums: Mutex<Sums>,
}

/// What a counter counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    /// Where the operator was killed.
    Kill,
    /// Other faults.
    Fault,
}

#[derive(Default)]
struct Sums {
    points: usize,
    scenarios: usize,
    submissions: usize,
    orders: usize,
    duplicates: usize,
    overwritten: usize,
    adopted: usize,
    unknown: usize,
    wrongs: Vec<String>,
}

impl Tally {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, started: Instant::now(), counters: Mutex::default(), sums: Mutex::default() }
    }

    /// A counter, for a rule of a proxy.
    pub(crate) fn counter(&self, kind: Kind, name: &'static str) -> Arc<AtomicUsize> {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(counters.entry((kind, name)).or_default())
    }

    pub(crate) fn count(&self, kind: Kind, name: &'static str) {
        self.counter(kind, name).fetch_add(1, Ordering::Relaxed);
    }

    /// How often the operator was killed.
    pub(crate) fn kills(&self) -> usize {
        self.sum(Kind::Kill)
    }

    fn sum(&self, kind: Kind) -> usize {
        self.all(kind).iter().map(|(_, count)| count).sum()
    }

    fn all(&self, kind: Kind) -> Vec<(&'static str, usize)> {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let of_this = counters.iter().filter(|((found, _), _)| *found == kind);
        of_this.map(|((_, name), count)| (*name, count.load(Ordering::Relaxed))).collect()
    }

    /// Adds the findings of one order.
    pub(crate) fn add(&self, findings: Findings) {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        sums.scenarios += 1;
        sums.submissions += findings.submissions;
        sums.orders += findings.orders;
        sums.duplicates += findings.duplicates;
        sums.overwritten += findings.overwritten;
        sums.adopted += findings.adopted;
        sums.unknown += findings.unknown;
        sums.wrongs.extend(findings.wrongs);
    }

    /// Adds points that were tested with a kill.
    pub(crate) fn add_points(&self, points: usize) {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner).points += points;
    }

    pub(crate) fn wrong(&self, wrong: String) {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner).wrongs.push(wrong);
    }

    /// Everything that is wrong; empty if the test has passed.
    pub(crate) fn wrongs(&self) -> Vec<String> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner).wrongs.clone()
    }
}

/// The report.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |kind| {
            let all = self.all(kind).into_iter().map(|(name, count)| format!("{name} {count}"));
            all.collect::<Vec<_>>().join(", ")
        };
        writeln!(f, "kills: {} ({})", self.kills(), list(Kind::Kill))?;
        writeln!(f, "faults: {} ({})", self.sum(Kind::Fault), list(Kind::Fault))?;
        let sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(f, "points of the lives of orders, each with a kill of its own: {}", sums.points)?;
        writeln!(
            f,
            "orders that reached their end: {}; submissions {}, sent to the CA {}, Adopted {}, equal applications \
             overwritten in later attempts {}, OutcomeUnknown in later attempts {}",
            sums.scenarios, sums.submissions, sums.orders, sums.adopted, sums.overwritten, sums.unknown
        )?;
        writeln!(f, "duplicates: {}; other violations: {}", sums.duplicates, sums.wrongs.len())?;
        write!(f, "seconds: {}, seed: {}", self.started.elapsed().as_secs(), self.seed)
    }
}
