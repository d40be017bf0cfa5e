//! Orders that are created and deleted again: no claim is left, and the operator does not grow.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use certorder::api::v1alpha1::CertificateOrder;
use futures::StreamExt;
use kube::api::DeleteParams;
use tokio::time::{Instant, sleep};

use super::Target;
use super::actors::condition;
use super::claims;
use super::cloud::{Cloud, Purpose};
use super::environment::{Environment, Sandbox};
use super::scenario::{Course, KINDS, Key, Scenario};
use super::tencent::Tencent;

/// Slow enough that the API server serves the operator in between.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Nothing is killed here, so a busy machine may be slow to answer. A claim is given up after eight seconds.
const FLAGS: [&str; 4] = ["--call-timeout", "2s", "--poll-interval", "100ms"];
/// How long an order may take to reach the state in which it is deleted, and the claims to be given up.
const TIMEOUT: Duration = Duration::from_mins(10);
/// The most that the operator may grow between the first quarter of the cycles and the last, in KiB: less than a hundred
/// bytes for each of a long run.
const GROWTH: u64 = 8 * 1024;

/// How long it goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How many orders are created and deleted.
    pub(crate) cycles: usize,
    /// How many exist at the same time.
    pub(crate) at_once: usize,
}

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    cycles: usize,
    seconds: u64,
    submitted: usize,
    twice: usize,
    most_claims: usize,
    claims_left: usize,
    /// Resident memory after the first quarter, and at the end, in KiB.
    memory: [u64; 2],
}

impl Figures {
    /// Everything that is wrong.
    pub(crate) fn wrongs(&self) -> Vec<String> {
        let mut wrongs = Vec::new();
        if self.claims_left > 0 {
            wrongs.push(format!("{} claims are left", self.claims_left));
        }
        if self.twice > 0 {
            wrongs.push(format!("{} certificates were submitted more than once", self.twice));
        }
        let [quarter, end] = self.memory;
        if end > quarter + GROWTH {
            wrongs.push(format!("the operator has grown from {quarter} KiB to {end} KiB"));
        }
        if self.submitted == 0 {
            wrongs.push("nothing was submitted".to_owned());
        }
        wrongs
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [quarter, end] = self.memory;
        write!(
            f,
            "cycles: {}; certificates submitted: {}, more than once: {}; claims at most: {}, left: {}; resident memory after \
             a quarter: {quarter} KiB, at the end: {end} KiB; seconds: {}",
            self.cycles, self.submitted, self.twice, self.most_claims, self.claims_left, self.seconds
        )
    }
}

/// Creates and deletes orders: at once, once an intent is stored, once the order is sent.
pub(crate) async fn measure(target: &Target, plan: Plan) -> Figures {
    let cloud: Arc<dyn Cloud> = Arc::new(Tencent::start().await);
    let environment = Environment::with(target, vec![Arc::clone(&cloud)]).await;
    let sandbox = environment.sandbox().await;
    let mut replica = sandbox.operator(&FLAGS).await;
    let process = replica.process.as_ref().unwrap();
    process.ready().await;
    let start = Instant::now();
    let most_claims = AtomicUsize::new(0);
    let (mut submitted, mut twice, mut quarter) = (0, 0, 0);
    let mut cycles = std::pin::pin!(
        futures::stream::iter(0..plan.cycles)
            .map(|number| cycle(&sandbox, &cloud, number))
            .buffer_unordered(plan.at_once)
            .enumerate()
    );
    while let Some((number, submissions)) = cycles.next().await {
        submitted += usize::from(submissions > 0);
        twice += usize::from(submissions > 1);
        if number % 20 == 0 {
            most_claims
                .fetch_max(claims::count(&environment, &[&sandbox.namespace]).await, Ordering::Relaxed);
        }
        if number == plan.cycles / 4 {
            quarter = process.memory().0;
        }
    }
    let seconds = start.elapsed().as_secs();
    let claims_left = claims::until_none(&environment, &[&sandbox.namespace], TIMEOUT).await;
    let memory = [quarter, process.memory().0];
    replica.kill();
    let most_claims = most_claims.into_inner();
    Figures { cycles: plan.cycles, seconds, submitted, twice, most_claims, claims_left, memory }
}

/// One order; how often its application was handed in.
async fn cycle(sandbox: &Sandbox<'_>, cloud: &Arc<dyn Cloud>, number: usize) -> usize {
    let kind =
        KINDS.into_iter().find(|kind| kind.course == Course::Issued && kind.key == Key::Cloud).unwrap();
    let scenario = Scenario::new(kind, cloud, sandbox.environment.number());
    sandbox.create::<CertificateOrder>(scenario.manifest()).await;
    let is_due = |order: &CertificateOrder| match number % 3 {
        0 => true,
        1 => order.status.as_ref().is_some_and(|status| status.submission.is_some()),
        _ => condition(order, "Ordered").is_some_and(|(status, _)| status == "True"),
    };
    let start = Instant::now();
    while !is_due(&sandbox.orders().get(&scenario.name).await.unwrap()) {
        assert!(start.elapsed() < TIMEOUT, "{} does not get on", scenario.name);
        sleep(POLL_INTERVAL).await;
    }
    sandbox.orders().delete(&scenario.name, &DeleteParams::default()).await.unwrap();
    scenario.cloud.effects(&scenario.id).iter().filter(|effect| effect.purpose == Purpose::Submit).count()
}
