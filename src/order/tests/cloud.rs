//! A simulated cloud with one paid certificate, which accepts each call only at its stage. It checks the promise: each
//! application is submitted once per attempt, and each attempt is ordered once.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::support::*;
use crate::core::observation::{Observation, Stage};
use crate::order::facts::Action;
use crate::provider::Error;

/// The paid certificate.
#[allow(clippy::struct_excessive_bools, reason = "a model: each is a switch of its own")]
pub(super) struct Cloud {
    pub(super) stage: Stage,
    pub(super) readable: bool,
    /// Whether the call that submits the application also sends the order, in every attempt.
    pub(super) in_one_call: bool,
    /// How often users requested another attempt, or edited an order.
    pub(super) asked: u32,
    /// How many of these the accepted applications took into account.
    answered: u32,
    /// Whether a user ordered in the console while calls were in flight.
    is_console_used: bool,
    names: Vec<&'static str>,
    /// The application; it stays when the order is opened again.
    pub(super) held: Option<&'static str>,
    pub(super) was_ordered: bool,
    order_calls: u32,
    /// The orders whose applications were accepted in the present attempt, in sequence.
    pub(super) submissions: Vec<usize>,
    pub(super) attempts: u32,
    pub(super) request_ids: BTreeSet<String>,
    /// Whether it is unknown that the held application is the wanted one: the call of another one was lost since; or,
    /// in a second attempt, when the cloud may still hold the application of the first, the intent was given up since
    /// nothing could be built for the comparison. The cloud then accepts the same application once more before the
    /// order.
    in_doubt: bool,
    /// What may be submitted again, since it cannot be known that it was submitted.
    pub(super) may_repeat: Option<&'static str>,
    /// The calls that took effect, with their times.
    log: Vec<(Action, Timestamp)>,
    /// Calls that take effect later.
    late: Vec<(i64, Effect)>,
}

#[derive(Clone, Debug)]
pub(super) enum Effect {
    Submit {
        who: usize,
        application: &'static str,
        request_id: String,
        /// How many requests users had made when the call was planned.
        asked: u32,
    },
    Order,
    Resubmit,
    Withdraw,
}

impl Effect {
    fn action(&self) -> Action {
        match self {
            Self::Submit { .. } => Action::Submit,
            Self::Order => Action::Order,
            Self::Resubmit => Action::Resubmit,
            Self::Withdraw => Action::Withdraw,
        }
    }
}

impl Cloud {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::AwaitingInformation,
            readable: true,
            in_one_call: false,
            asked: 0,
            answered: 0,
            is_console_used: false,
            names: Vec::new(),
            held: None,
            was_ordered: false,
            order_calls: 0,
            submissions: Vec::new(),
            attempts: 1,
            request_ids: BTreeSet::new(),
            in_doubt: false,
            may_repeat: None,
            log: Vec::new(),
            late: Vec::new(),
        }
    }

    pub(super) fn read(&self) -> Result<Observation, Error> {
        if !self.readable {
            return Err(unavailable("of a read"));
        }
        let mut observation = seen(self.stage, &self.names);
        if let Some(application) = self.held {
            observation.stored = evidence(application);
        }
        Ok(observation)
    }

    /// An intent was given up without an outcome.
    pub(super) fn give_up(&mut self) {
        self.in_doubt |= self.attempts > 1;
    }

    /// The log of calls, whose times are whole seconds. A call of an earlier attempt is none.
    pub(super) fn was_called_since(&self, action: Action, since: Timestamp) -> bool {
        let began = self.log.iter().rposition(|(logged, _)| *logged == Action::Resubmit);
        let present = match (action, began) {
            (Action::Resubmit, began) => {
                let submitted = self.log.iter().rposition(|(logged, _)| *logged == Action::Submit);
                self.log.get(submitted.or(began).unwrap_or_default()..)
            }
            (_, began) => self.log.get(began.unwrap_or_default()..),
        };
        let is_it =
            |(logged, time): &(Action, Timestamp)| *logged == action && time.as_second() >= since.as_second();
        // A cloud with one call for both keeps no log.
        !self.in_one_call && present.unwrap_or_default().iter().any(is_it)
    }

    /// An application is about to be submitted.
    pub(super) fn expect(&mut self, application: Option<&'static str>) {
        self.in_doubt |= application != self.held;
    }

    /// Accepts or refuses, and checks the promise.
    pub(super) fn take(&mut self, effect: Effect, now: Timestamp) -> Result<(), Error> {
        let refused = |code| Err(Error::NotNow(refusal(code, "of a refusal")));
        if self.in_one_call {
            return self.take_in_one_call(effect);
        }
        let action = effect.action();
        let taken = match (effect, self.stage) {
            (Effect::Submit { who, application, request_id, .. }, Stage::AwaitingInformation) => {
                let again = self.is_submitted() && self.held == Some(application) && !self.in_doubt;
                assert!(
                    !again || self.may_repeat == Some(application),
                    "the same application is submitted twice"
                );
                (self.held, self.in_doubt) = (Some(application), false);
                self.submissions.push(who);
                self.request_ids.insert(request_id);
                Ok(())
            }
            (Effect::Order, Stage::AwaitingInformation) if self.held.is_none() => refused("InvalidParam"),
            (Effect::Order, Stage::AwaitingInformation) => {
                self.order_calls += 1;
                assert_eq!(self.order_calls, 1, "the order is sent twice");
                self.go_on(NAME);
                Ok(())
            }
            (Effect::Order, _) if self.was_ordered => {
                Err(Error::UnderWay(refusal("Processing", "of a refusal")))
            }
            (Effect::Resubmit, Stage::Rejected | Stage::Cancelled) => {
                self.stage = Stage::AwaitingInformation;
                self.order_calls = 0;
                self.submissions.clear();
                self.attempts += 1;
                Ok(())
            }
            (Effect::Withdraw, Stage::Validating | Stage::Reviewing) => {
                self.stage = Stage::Cancelled;
                Ok(())
            }
            _ => refused("StatusInvalid"),
        };
        if taken.is_ok() {
            self.log.push((action, now));
        }
        taken
    }

    /// The same if one call submits the application and sends the order.
    fn take_in_one_call(&mut self, effect: Effect) -> Result<(), Error> {
        match (effect, self.stage) {
            (
                Effect::Submit { who, application, request_id, asked },
                Stage::AwaitingInformation | Stage::Rejected,
            ) => {
                if self.held.is_some() {
                    assert!(
                        asked > self.answered || self.is_console_used,
                        "submitted again without a request"
                    );
                    self.submissions.clear();
                    self.attempts += 1;
                }
                (self.held, self.answered) = (Some(application), asked);
                self.submissions.push(who);
                self.request_ids.insert(request_id);
                self.go_on(NAME);
                Ok(())
            }
            (Effect::Withdraw, Stage::Validating | Stage::Reviewing) => {
                self.stage = Stage::AwaitingInformation;
                Ok(())
            }
            (Effect::Order | Effect::Resubmit, _) => panic!("there is no such call"),
            _ => Err(Error::NotNow(refusal("StatusInvalid", "of a refusal"))),
        }
    }

    /// A call that takes effect later.
    pub(super) fn take_later(&mut self, second: i64, effect: Effect) {
        self.late.push((second, effect));
    }

    /// Whether the present attempt has its application.
    pub(super) fn is_submitted(&self) -> bool {
        !self.submissions.is_empty()
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.late.is_empty()
    }

    /// Late calls take effect.
    pub(super) fn arrive(&mut self, second: i64) {
        let under_way = std::mem::take(&mut self.late).into_iter();
        let (due, late): (Vec<_>, Vec<_>) = under_way.partition(|(due, _)| *due <= second);
        self.late = late;
        for (second, effect) in due {
            let _ = self.take(effect, at(second));
        }
    }

    fn go_on(&mut self, name: &'static str) {
        (self.stage, self.was_ordered, self.names) = (Stage::Validating, true, vec![name]);
    }

    /// The CA makes progress.
    pub(super) fn progress(&mut self) {
        self.stage = match self.stage {
            Stage::Validating => Stage::Reviewing,
            Stage::Reviewing => Stage::Issuing,
            Stage::Issuing => Stage::Issued,
            stage => stage,
        };
    }

    /// The CA rejects, or a user stops the review in the console.
    pub(super) fn end(&mut self, stage: Stage) {
        if matches!(self.stage, Stage::Validating | Stage::Reviewing) {
            let waits_again = self.in_one_call && stage == Stage::Cancelled;
            self.stage = if waits_again { Stage::AwaitingInformation } else { stage };
        }
    }

    /// A user refunds a certificate without an order, in the console.
    pub(super) fn refund(&mut self) {
        if self.stage == Stage::AwaitingInformation {
            self.stage = Stage::Refunded;
        }
    }

    /// A user orders a certificate in the console, for another name.
    pub(super) fn order_for_another_name(&mut self) {
        if self.stage == Stage::AwaitingInformation {
            self.is_console_used = true;
            self.held = Some("X");
            self.go_on("other.example");
        }
    }

    pub(super) fn is_for_another_name(&self) -> bool {
        self.names == ["other.example"]
    }
}
