//! How often each object is written: one that is written again and again costs everybody who watches it, and shows a
//! mistake, here or of somebody else.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many writes in this time are as many as an order needs at its busiest.
pub const MOST: usize = 10;
const WINDOW: Duration = Duration::from_mins(1);

/// The writes of the last minute.
#[derive(Default)]
pub struct WriteRates(Mutex<Window>);

#[derive(Default)]
struct Window {
    writes: VecDeque<(Instant, String)>,
    counts: HashMap<String, usize>,
}

impl WriteRates {
    /// Counts a write of an object. True for the one by which it has been written too often within a minute.
    pub fn count(&self, object: String, now: Instant) -> bool {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Window { writes, counts } = &mut *window;
        while writes.front().is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW) {
            let Some((_, old)) = writes.pop_front() else { break };
            if let Some(count) = counts.get_mut(&old) {
                *count = count.saturating_sub(1);
            }
            if counts.get(&old) == Some(&0) {
                counts.remove(&old);
            }
        }
        let count = counts.entry(object.clone()).or_default();
        *count = count.saturating_add(1);
        writes.push_back((now, object));
        *count == MOST + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_is_written_more_than_ten_times_in_a_minute_is_told_once() {
        let (rates, start) = (WriteRates::default(), Instant::now());
        let at = |second| start + Duration::from_secs(second);
        let told = |name: &str, second| rates.count(name.to_owned(), at(second));
        assert!((0..10).all(|second| !told("a", second) && !told("b", second)));
        assert!(told("a", 10));
        assert!(!told("a", 11), "it is known by now");
        assert!(!told("b", 60), "ten in the last minute");
        assert!((120..180).all(|second| !(second % 6 == 0 && told("a", second))), "ten a minute for ever");
        assert_eq!(rates.0.lock().unwrap().counts.len(), 1, "what was written long ago is forgotten");
    }
}
