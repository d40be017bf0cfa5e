//! The ledger: every call that arrived, what it did, and whether its caller heard of it.

use std::fmt;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// One call.
#[derive(Clone, Debug)]
pub struct Call<A> {
    /// When the service looked at it.
    pub time: Timestamp,
    /// The cloud's own time then, which a test may set.
    pub cloud_time: Timestamp,
    /// The HTTP method.
    pub method: String,
    /// The action: at Tencent Cloud the `X-TC-Action` header; empty if the request named none.
    pub action: String,
    /// Whose key signed it; `None` if no valid key did.
    pub account: Option<A>,
    /// The certificate that the request names.
    pub certificate_id: Option<String>,
    /// The body as it was sent.
    pub body: RequestBody,
    /// The status of the reply; `None` if the connection was cut instead.
    pub http_status: Option<u16>,
    /// The request id of the reply; `None` for replies without one.
    pub request_id: Option<String>,
    /// The error code of the reply; `None` for success and for replies that are not the service's.
    pub code: Option<String>,
    /// Whether the call changed something in the cloud, whatever the caller was told.
    pub took_effect: bool,
    /// Whether the whole, true reply went out.
    pub delivered: bool,
}

/// A request body. Debug prints the names of its fields, never a value: they hold personal data and passwords.
#[derive(Clone)]
pub struct RequestBody(Bytes);

impl RequestBody {
    /// Copies the bytes: a slice of the connection's buffer would keep all of that buffer alive.
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self(Bytes::copy_from_slice(bytes))
    }

    /// The bytes as they were sent.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.json() {
            Value::Object(fields) => f.debug_set().entries(fields.keys()).finish(),
            _ => write!(f, "{} bytes", self.0.len()),
        }
    }
}

/// How fast an account called one action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// All calls that carried a valid signature.
    pub calls: usize,
    /// The highest number of them in any one second.
    pub highest_in_one_second: usize,
    /// Those that were refused for coming too fast.
    pub rejected: usize,
}

impl Pace {
    pub(super) fn of<'a, A: 'a>(calls: impl Iterator<Item = &'a Call<A>>, throttled: &str) -> Self {
        let mut pace = Self::default();
        let mut window = std::collections::VecDeque::new();
        for call in calls {
            pace.calls += 1;
            pace.rejected += usize::from(call.code.as_deref() == Some(throttled));
            window.push_back(call.time);
            while window
                .front()
                .is_some_and(|first| call.time.duration_since(*first) >= SignedDuration::from_secs(1))
            {
                window.pop_front();
            }
            pace.highest_in_one_second = pace.highest_in_one_second.max(window.len());
        }
        pace
    }
}
