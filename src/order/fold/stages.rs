//! The report for each stage of a paid certificate: the one table of phases, conditions and messages.

use crate::api::v1alpha1::conditions::Reason;
use crate::core::annotations::{RESUBMIT_AT, WITHDRAW};
use crate::core::conditions::Status;
use crate::core::observation::{Observation, Stage};
use crate::core::redact::Filter;
use crate::order::validation::{self, Validation};

/// What to show for a stage.
pub struct Report {
    /// The phase, for people.
    pub phase: &'static str,
    /// Decides Ready, Reconciling and Stalled.
    pub standing: Standing,
    /// The reason of the conditions.
    pub reason: Reason,
    /// The message of the conditions.
    pub message: String,
    /// What a person must do now.
    pub action: Option<String>,
    /// The condition Issued, if the stage decides it.
    pub issued: Option<(Status, Reason)>,
    /// Whether the CA processes the application of the spec, so that the spec must not be edited.
    pub frozen: bool,
}

/// Whether an order is in progress.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// In progress, or waits for a person or the CA.
    Working,
    /// Stopped until something is changed.
    Stopped,
    /// Complete.
    Done,
}

/// The input of a report.
pub struct Input<'a> {
    /// What the cloud reports.
    pub observation: &'a Observation,
    /// The message of the cloud or the CA, filtered.
    pub text: Option<&'a str>,
    /// The name of the cloud.
    pub cloud: &'a str,
    /// Whether the review was stopped on request of the user.
    pub withdrawn: bool,
    /// Whether the annotation for it still holds the order back.
    pub held_back: bool,
    /// The state of the signed letter.
    pub letter: Letter<'a>,
    /// The results of the CA's checks of the proofs of control.
    pub validation: Option<&'a Validation>,
    /// Filters the messages of the CA in these results.
    pub filter: &'a Filter,
}

impl Input<'_> {
    /// What to publish to prove control of the names.
    fn prove_control(&self) -> String {
        validation::what_to_do(&self.observation.records, self.validation, self.filter)
    }
}

/// The state of the signed letter of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Letter<'a> {
    /// The order names none, or it was not read.
    NotNamed,
    /// The letter that the order names cannot be sent; why.
    Unfit(&'a str),
    /// It was sent.
    Sent,
}

impl Report {
    /// In progress.
    fn working(phase: &'static str, reason: Reason, message: String) -> Self {
        Self { phase, standing: Standing::Working, reason, message, action: None, issued: None, frozen: true }
    }

    /// Stopped, and can be ordered again.
    fn stopped(phase: &'static str, reason: Reason, message: String) -> Self {
        Self { standing: Standing::Stopped, frozen: false, ..Self::working(phase, reason, message) }
    }

    /// Stopped, and cannot be ordered again.
    fn over(phase: &'static str, reason: Reason, message: String) -> Self {
        let issued = Some((Status::False, reason));
        Self { issued, frozen: true, ..Self::stopped(phase, reason, message) }
    }
}

/// Reports what was observed.
#[must_use]
pub fn report(input: &Input<'_>) -> Report {
    let Input { observation: seen, text, cloud, .. } = *input;
    let state = format!("status {}", seen.status);
    let state = text.map_or(state.clone(), |text| format!("{state}, {text}"));
    match seen.stage {
        Stage::AwaitingInformation => {
            Report::working("Submitted", Reason::Submitting, format!("{cloud} holds the application ({state})"))
        }
        Stage::AwaitingLetter => awaiting_letter(input.letter, &state),
        Stage::Validating => Report {
            action: Some(input.prove_control()),
            ..Report::working(
                "Validating",
                Reason::AwaitingValidation,
                format!("the CA waits for the proof of control of the names ({state})"),
            )
        },
        Stage::Reviewing => Report {
            // A DV certificate is checked by machines alone.
            action: (seen.product.domain_validated == Some(false)).then(|| {
                "expect a call of the CA: it phones the organisation or its administrator to confirm the order".to_owned()
            }),
            ..Report::working("Reviewing", Reason::InReview, format!("the order is under review ({state})"))
        },
        Stage::Issuing => Report::working("Issuing", Reason::Issuing, format!("the CA is about to issue ({state})")),
        Stage::Issued => Report {
            standing: Standing::Done,
            issued: Some((Status::True, Reason::Issued)),
            ..Report::working("Issued", Reason::Issued, format!("{cloud} holds the issued certificate"))
        },
        Stage::Cancelling => {
            Report::working("Cancelling", Reason::Withdrawing, format!("the review is being stopped ({state})"))
        }
        Stage::Managed => Report::working(
            "Managed",
            Reason::Pending,
            format!("the cloud moves or manages this certificate itself ({state}); certorder waits"),
        ),
        Stage::Unrecognised => Report::working(
            "Unrecognised",
            Reason::Pending,
            format!("this version of certorder does not know {state}; it waits, and calls nothing that writes"),
        ),
        Stage::Rejected
        | Stage::Cancelled
        | Stage::Revoking
        | Stage::AwaitingRevocationLetter
        | Stage::Revoked
        | Stage::Expired
        | Stage::Refunded => ended(input, &state),
    }
}

fn awaiting_letter(letter: Letter<'_>, state: &str) -> Report {
    let message = match letter {
        Letter::Sent => format!("the signed letter was handed in, and the CA looks at it ({state})"),
        Letter::NotNamed | Letter::Unfit(_) => format!("the CA waits for a signed letter ({state})"),
    };
    let form = "send the signed confirmation letter: download the form in the cloud's console, sign it, and";
    let action = match letter {
        Letter::Sent => None,
        Letter::NotNamed => Some(format!("{form} upload it there")),
        Letter::Unfit(why) => Some(format!(
            "{form} put it into the Secret that the order names for it ({why}), or upload it in the console"
        )),
    };
    Report { action, ..Report::working("AwaitingLetter", Reason::AwaitingLetter, message) }
}

/// The final stages of an order, or of its attempt until the user requests another one.
fn ended(input: &Input<'_>, state: &str) -> Report {
    match input.observation.stage {
        Stage::Rejected => Report::stopped(
            "Rejected",
            Reason::Rejected,
            format!(
                "the application was rejected ({state}); correct the order or its profile, or annotate the order with \
                 {RESUBMIT_AT}: <now, RFC 3339> to hand it in again as it is"
            ),
        ),
        Stage::Cancelled if input.withdrawn => {
            let first = if input.held_back {
                format!("remove the annotation {WITHDRAW}, then ")
            } else {
                String::new()
            };
            let message = format!(
                "the review was stopped as asked ({state}); {first}correct the order, or annotate it with \
                 {RESUBMIT_AT}: <now, RFC 3339> to order again as it is"
            );
            Report::stopped("Withdrawn", Reason::Withdrawn, message)
        }
        Stage::Cancelled => Report::stopped(
            "Cancelled",
            Reason::Cancelled,
            format!(
                "the order was cancelled ({state}), and the certificate can be ordered again: correct the order, or \
                 annotate it with {RESUBMIT_AT}: <now, RFC 3339>"
            ),
        ),
        Stage::Revoking => Report {
            action: (!input.observation.records.is_empty()).then(|| input.prove_control()),
            ..Report::over("Revoking", Reason::Revoked, format!("the certificate is being revoked ({state})"))
        },
        Stage::AwaitingRevocationLetter => Report {
            action: Some("send the signed revocation letter that the cloud's console offers".to_owned()),
            ..Report::over(
                "Revoking",
                Reason::Revoked,
                format!("the certificate is to be revoked, and the CA waits for a signed letter ({state})"),
            )
        },
        Stage::Revoked => {
            Report::over("Revoked", Reason::Revoked, format!("the certificate was revoked ({state})"))
        }
        Stage::Expired => Report::over(
            "Expired",
            Reason::Expired,
            format!("the certificate has expired ({state}); buy and order a new one"),
        ),
        _ => Report::over(
            "Refunded",
            Reason::Refunded,
            format!("the money was paid back ({state}); buy another certificate"),
        ),
    }
}
