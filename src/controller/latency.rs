//! How long the API server takes to answer, so that calls to a cloud are given the time that their intents need.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// An answer counts for one to two such windows.
const WINDOW: Duration = Duration::from_mins(2);

/// The longest time between an intent and the begin of its call.
const MAX_START: Duration = Duration::from_mins(10);

/// The slowest answers of the API server of late.
#[derive(Debug)]
pub struct ApiLatency(Mutex<Windows>);

#[derive(Debug)]
struct Windows {
    since: Instant,
    slowest: Duration,
    before: Duration,
}

impl Default for ApiLatency {
    fn default() -> Self {
        let (slowest, before) = (Duration::ZERO, Duration::ZERO);
        Self(Mutex::new(Windows { since: Instant::now(), slowest, before }))
    }
}

impl ApiLatency {
    /// Takes the time of a request, whatever it is answered.
    pub async fn measure<T>(&self, request: impl Future<Output = T>) -> T {
        let begin = Instant::now();
        let answer = Box::pin(request).await;
        self.record(begin.elapsed());
        answer
    }

    /// How long after its intent a call may begin: one call timeout, or twice what the API server takes to store an intent,
    /// if that is longer.
    #[must_use]
    pub fn start_within(&self, call_timeout: Duration) -> Duration {
        let windows = self.current();
        let slowest = windows.slowest.max(windows.before);
        slowest.saturating_mul(2).max(call_timeout).min(MAX_START.max(call_timeout))
    }

    fn record(&self, latency: Duration) {
        let mut windows = self.current();
        windows.slowest = windows.slowest.max(latency);
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Windows> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let age = windows.since.elapsed();
        if age >= WINDOW {
            let before = if age >= WINDOW.saturating_mul(2) { Duration::ZERO } else { windows.slowest };
            *windows = Windows { since: Instant::now(), slowest: Duration::ZERO, before };
        }
        windows
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, sleep};

    use super::*;

    const CALL: Duration = Duration::from_secs(20);

    #[tokio::test(start_paused = true)]
    async fn a_call_may_begin_after_twice_the_slowest_answer_of_late() {
        let latency = ApiLatency::default();
        assert_eq!(latency.start_within(CALL), CALL);
        latency.measure(sleep(Duration::from_secs(3))).await;
        assert_eq!(latency.start_within(CALL), CALL, "the call timeout is longer");
        latency.measure(sleep(Duration::from_secs(40))).await;
        latency.measure(sleep(Duration::from_secs(1))).await;
        assert_eq!(latency.start_within(CALL), Duration::from_secs(80));
        advance(WINDOW).await;
        assert_eq!(latency.start_within(CALL), Duration::from_secs(80), "one window later");
        advance(WINDOW).await;
        assert_eq!(latency.start_within(CALL), CALL, "two windows later");
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_bounded_but_never_shorter_than_a_call() {
        let latency = ApiLatency::default();
        latency.measure(sleep(Duration::from_hours(1))).await;
        assert_eq!(latency.start_within(CALL), MAX_START);
        assert_eq!(latency.start_within(Duration::from_mins(30)), Duration::from_mins(30));
    }
}
