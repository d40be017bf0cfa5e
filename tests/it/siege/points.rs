//! The points in an order's lifecycle at which the operator can be killed, and the faults besides.

use std::time::Duration;

use certorder_sim::proxy::{Action, Reply, Rule};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::cloud::Cloud;
use super::environment::{CALL_TIMEOUT, Replica};
use super::report::{Kind, Tally};
use super::rng::Rng;

/// A request of the operator.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Point {
    /// A status is written.
    Status,
    /// A Secret is created: an order's key, or its certificate.
    Secret,
    /// A finalizer is set or removed.
    Finalizer,
    /// A claim is created.
    Claim,
    /// A call to a cloud, by the index of the cloud, and its action.
    Cloud(usize, &'static str),
}

/// On which side of a request the operator is killed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Side {
    /// The request never arrives.
    Before,
    /// It arrives; its reply does not.
    After,
    /// It arrives some time after the kill.
    Meanwhile,
}

pub(crate) const SIDES: [Side; 3] = [Side::Before, Side::After, Side::Meanwhile];

/// The longest delay of a call at the cloud: within the operator's call timeout.
const LATEST: Duration = Duration::from_millis(450);

impl Point {
    /// Every point.
    pub(crate) fn all(clouds: &[std::sync::Arc<dyn Cloud>]) -> Vec<Self> {
        let calls = clouds.iter().enumerate();
        let calls =
            calls.flat_map(|(at, cloud)| cloud.actions().iter().map(move |name| Self::Cloud(at, name)));
        [Self::Status, Self::Secret, Self::Finalizer, Self::Claim].into_iter().chain(calls).collect()
    }

    /// Whether it is a write.
    pub(crate) fn is_write(&self, clouds: &[std::sync::Arc<dyn Cloud>]) -> bool {
        match self {
            Self::Status | Self::Secret | Self::Finalizer | Self::Claim => true,
            Self::Cloud(at, action) => {
                let cloud = &clouds[*at];
                cloud.actions()[..cloud.writes()].contains(action)
            }
        }
    }

    /// Holds the n-th such request, so that the operator can be killed.
    pub(crate) fn hold(
        &self,
        replica: &Replica,
        clouds: &[std::sync::Arc<dyn Cloud>],
        nth: usize,
        side: Side,
        late: Duration,
    ) {
        let rule = Rule::new(match side {
            Side::Before => Action::HoldBefore,
            Side::After => Action::HoldAfter,
            Side::Meanwhile => Action::HoldLate(late.min(LATEST)),
        });
        self.add_rule(replica, clouds, rule.nth(nth));
    }

    /// Adds a proxy rule for such requests.
    pub(crate) fn add_rule(&self, replica: &Replica, clouds: &[std::sync::Arc<dyn Cloud>], rule: Rule) {
        let orders = "/certificateorders";
        match self {
            Self::Status => replica.api.fault(rule.method(Method::PUT).path("/status")),
            Self::Secret => replica.api.fault(rule.method(Method::POST).path("/secrets")),
            Self::Finalizer => replica.api.fault(rule.method(Method::PATCH).path(orders)),
            Self::Claim => replica.api.fault(rule.method(Method::POST).path("/leases")),
            Self::Cloud(at, action) => replica.clouds[*at].fault(clouds[*at].only(rule, action)),
        }
    }

    /// A name for the report.
    pub(crate) fn name(&self, side: Side) -> &'static str {
        match (self, side) {
            (Self::Status, Side::Before) => "before a status write",
            (Self::Status, Side::After) => "after a status write",
            (Self::Status, Side::Meanwhile) => "during a status write",
            (Self::Secret | Self::Finalizer | Self::Claim, _) => "around another call to the API server",
            (Self::Cloud(..), Side::Before) => "before a cloud call",
            (Self::Cloud(..), Side::After) => "after a cloud call",
            (Self::Cloud(..), Side::Meanwhile) => "during a cloud call",
        }
    }
}

/// Adds one other fault, to one of the next few requests of its kind.
pub(crate) fn random_fault(
    replica: &Replica,
    clouds: &[std::sync::Arc<dyn Cloud>],
    rng: &mut Rng,
    tally: &Tally,
    stale: Option<Value>,
) {
    let calls: Vec<Point> =
        Point::all(clouds).into_iter().filter(|point| matches!(point, Point::Cloud(..))).collect();
    let call = rng.pick(&calls).clone();
    let writes = [Point::Status, Point::Status, Point::Secret, Point::Finalizer, Point::Claim];
    let write = rng.pick(&writes).clone();
    let (point, name, action) = match rng.below(11) {
        0 => (call, "reply lost after commit", Action::CutBody(0)),
        1 => (call, "timeout", Action::Delay(CALL_TIMEOUT * 4)),
        2 => (call, "502 with HTML", Action::Status(html())),
        3 => (call, "502 with HTML after commit", Action::StatusAfter(html())),
        4 => (call, "truncated JSON", Action::CutBody(20 + rng.below(60))),
        5 => (write, "API server: conflict", Action::Status(error_status(409, "Conflict"))),
        6 => (write, "API server: 500", Action::Status(error_status(500, "InternalError"))),
        7 => (write, "API server: 500 after commit", Action::StatusAfter(error_status(500, "InternalError"))),
        8 => (write, "API server: watches dropped", Action::DropConnections),
        9 => (call, "slow cloud call", Action::Delay(CALL_TIMEOUT / 2)),
        _ => {
            let Some(stale) = stale else { return };
            let rule = Rule::new(Action::Status(Reply::json(StatusCode::OK, &stale)));
            let is_list = |path: &str| {
                path.contains("/certificateorders?")
                    && !path.contains("watch=")
                    && !path.contains("fieldSelector")
            };
            let counter = tally.counter(Kind::Fault, "API server: stale list");
            return replica.api.fault(rule.method(Method::GET).path_where(is_list).tally(&counter));
        }
    };
    let rule = Rule::new(action).nth(1 + rng.below(2)).tally(&tally.counter(Kind::Fault, name));
    point.add_rule(replica, clouds, rule);
}

fn html() -> Reply {
    Reply::text(StatusCode::BAD_GATEWAY, "<html><body><h1>502 Bad Gateway</h1></body></html>")
}

fn error_status(code: u16, reason: &str) -> Reply {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "a fault of the siege", "reason": reason, "code": code,
    });
    Reply::json(StatusCode::from_u16(code).unwrap(), &status)
}
