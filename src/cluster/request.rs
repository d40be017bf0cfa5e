//! One request to the API server: its timeout and its field manager.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The field manager of everything that certorder writes.
pub const FIELD_MANAGER: &str = "certorder";

/// The shortest timeout of a request. kube itself limits watches only.
const MIN_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest one.
const MAX_TIMEOUT: Duration = Duration::from_mins(5);

/// The timeout of the requests of this process: they all have one API server.
static TIMEOUT: Timeout = Timeout::at_least(MIN_TIMEOUT);

/// One request to the API server, with a timeout that an API server on a busy machine can keep.
pub async fn bounded<T>(request: impl Future<Output = Result<T, kube::Error>>) -> Result<T, kube::Error> {
    // On the heap: each request would be held several times over by those who wait for it.
    TIMEOUT.bound(Box::pin(request)).await
}

/// A timeout that follows the API server: it doubles when an answer does not come in time, and returns to four times the
/// last answer. It is five minutes at most.
pub struct Timeout {
    min: Duration,
    millis: AtomicU64,
}

impl Timeout {
    /// A timeout that is never shorter than this.
    #[must_use]
    pub const fn at_least(min: Duration) -> Self {
        Self { min, millis: AtomicU64::new(0) }
    }

    /// How long the next request may take.
    pub fn current(&self) -> Duration {
        Duration::from_millis(self.millis.load(Ordering::Relaxed)).clamp(self.min, MAX_TIMEOUT)
    }

    /// One request, with this timeout.
    pub async fn bound<T>(
        &self,
        request: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, kube::Error> {
        let timeout = self.current();
        let begin = Instant::now();
        let answer = tokio::time::timeout(timeout, request).await;
        let next = if answer.is_ok() { begin.elapsed().saturating_mul(4) } else { timeout.saturating_mul(2) };
        self.millis.store(u64::try_from(next.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        answer.unwrap_or_else(|elapsed| Err(kube::Error::Service(elapsed.into())))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_minutes_is_answered_after_some_tries() {
        let timeout = Timeout::at_least(MIN_TIMEOUT);
        let takes = async |time| {
            let request = async {
                sleep(time).await;
                Ok(())
            };
            timeout.bound(request).await.is_ok()
        };
        let minutes = Duration::from_mins(3);
        let mut answered = Vec::new();
        for _ in 0..4 {
            answered.push(takes(minutes).await);
        }
        assert_eq!(answered, [false, false, false, true], "30 s, 1 min, 2 min, 4 min");
        assert!(takes(minutes).await, "and from then on");
        assert!(takes(Duration::from_secs(1)).await);
        let begin = Instant::now();
        assert!(!takes(minutes).await, "it answers fast again");
        assert_eq!(begin.elapsed(), MIN_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn an_api_server_that_never_answers_is_given_five_minutes_at_most() {
        let timeout = Timeout::at_least(MIN_TIMEOUT);
        for _ in 0..10 {
            let begin = Instant::now();
            assert!(timeout.bound(std::future::pending::<Result<(), _>>()).await.is_err());
            assert!(begin.elapsed() <= MAX_TIMEOUT);
        }
    }
}
