//! The status of an issued order whose Secret somebody else keeps rewriting.

use jiff::Timestamp;

use crate::api::v1alpha1::CertificateOrderStatus;
use crate::api::v1alpha1::conditions::{ConditionType, Reason};
use crate::core::conditions::{Conditions, Problem, Status};

/// What was found in the Secrets of an issued order.
pub enum Found {
    /// The certificate, and nobody has rewritten it for a while.
    Calm {
        /// What is to be said about it.
        message: String,
    },
    /// Somebody keeps rewriting them.
    Contested {
        /// What is to be said about it.
        message: String,
        /// Whether the pair that was found is the order's all the same.
        fits: bool,
    },
}

/// What is said of Secrets that hold the issued certificate, and of keystores that stay as they were.
#[must_use]
pub fn synced(kept_keystores: Option<&Problem>) -> String {
    let message = "the Secret holds the issued certificate";
    kept_keystores.map_or_else(|| message.to_owned(), |kept| format!("{message}; {}", kept.message))
}

/// The status after that. Ready stays for as long as the Secret serves.
#[must_use]
pub fn found(
    stored: &CertificateOrderStatus,
    generation: i64,
    now: Timestamp,
    found: &Found,
) -> CertificateOrderStatus {
    let mut conditions = Conditions::new(&stored.conditions, generation, now);
    match found {
        Found::Calm { message } => {
            conditions.set(ConditionType::SecretSynced, Status::True, Reason::Synced, message);
            conditions.resting(Status::True, Reason::Issued, message);
        }
        Found::Contested { message, fits } => {
            let reason = Reason::SecretContested;
            conditions.set(ConditionType::SecretSynced, Status::False, reason, message);
            if *fits {
                let message = "the Secret holds the issued certificate, and is contested";
                conditions.resting(Status::True, Reason::Issued, message);
            } else {
                conditions.stopped(reason, message);
            }
        }
    }
    CertificateOrderStatus { conditions: conditions.into_list(), ..stored.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::conditions::get;

    #[test]
    fn ready_stays_while_the_pair_fits_and_comes_back_when_it_is_calm() {
        let now = Timestamp::UNIX_EPOCH;
        let stored = CertificateOrderStatus::default();
        let contested = |fits| Found::Contested { message: "by reloader".to_owned(), fits };
        let summary = |status: &CertificateOrderStatus| {
            let of = |type_| {
                let condition = get(&status.conditions, type_)?;
                Some(format!("{}/{}", condition.status, condition.reason))
            };
            [ConditionType::Ready, ConditionType::Stalled, ConditionType::SecretSynced].map(of)
        };
        let as_is = |texts: [&str; 3]| texts.map(|text| (!text.is_empty()).then(|| text.to_owned()));
        let fits = found(&stored, 1, now, &contested(true));
        assert_eq!(summary(&fits), as_is(["True/Issued", "", "False/SecretContested"]));
        let broken = found(&fits, 1, now, &contested(false));
        let all = ["False/SecretContested", "True/SecretContested", "False/SecretContested"];
        assert_eq!(summary(&broken), as_is(all));
        assert_eq!(found(&broken, 1, now, &contested(false)), broken, "said once");
        let calm = found(&broken, 1, now, &Found::Calm { message: synced(None) });
        assert_eq!(summary(&calm), as_is(["True/Issued", "", "True/Synced"]));
    }
}
