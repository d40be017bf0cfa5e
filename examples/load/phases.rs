//! One measurement: orders are created, handed in, sent to the CA, and issued; then the operator starts again.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::Cli;
use crate::api::{Requests, between};
use crate::figures::{Figures, Window};
use crate::operator::{Program, Running};
use crate::watched::Watched;
use crate::world::World;

pub(crate) const SUBMIT: &str = "CertificateInfoSubmit";
pub(crate) const ORDER: &str = "CertificateOrderSubmit";
/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long nothing may move.
const STUCK: Duration = Duration::from_mins(3);

/// What was counted up to a moment.
struct Count {
    at: Instant,
    requests: Requests,
    calls: BTreeMap<String, usize>,
    operator: Duration,
    api: Option<Duration>,
}

impl Count {
    async fn now(world: &World, running: &Running) -> Self {
        Self {
            at: Instant::now(),
            requests: world.api.requests().await,
            calls: world.calls(),
            operator: running.process().cpu(),
            api: world.api.cpu(),
        }
    }

    /// What came between this moment and a later one.
    fn until(&self, later: &Self) -> Window {
        let grown = |action: &String, count: usize| {
            (action.clone(), count - self.calls.get(action).copied().unwrap_or_default())
        };
        let calls = later.calls.iter().map(|(action, count)| grown(action, *count));
        Window {
            seconds: later.at.duration_since(self.at).as_secs_f64(),
            requests: between(&self.requests, &later.requests),
            calls: calls.filter(|(_, count)| *count > 0).collect(),
            operator_cpu: later.operator.saturating_sub(self.operator).as_secs_f64(),
            api_cpu: later.api.zip(self.api).map(|(later, now)| later.saturating_sub(now).as_secs_f64()),
        }
    }
}

/// Measures one program.
pub(crate) async fn run(cli: &Cli, program: &Program) -> Figures {
    let world = World::start(cli, program).await;
    let kubeconfig = world.api.kubeconfig(&world.directory);
    let start = async || program.start(&world.directory, &kubeconfig, &world.cloud.url()).await;
    let mut running = start().await;
    let watched = Watched::start(world.client.clone());
    let mut figures = Figures::new(program.name, cli.orders, running.process().memory());
    let began = Count::now(&world, &running).await;
    submit(cli, &world, &mut running, &watched, &mut figures).await;
    let with_the_ca = Count::now(&world, &running).await;
    figures.until_with_the_ca = began.until(&with_the_ca);
    figures.wrongs = world.wrongs(cli.orders);
    if !program.is_peer() && !cli.only_submit {
        figures.pending = quiet(cli, &world, &running).await;
        figures.pending_memory = Some(running.process().memory());
        running.process().forget_peak();
        issue(cli, &world, &mut running, &watched, &mut figures).await;
        drop(running);
        let again = start().await;
        figures.ready_again = Some(again.ready.as_secs_f64());
        figures.ready_again_cpu = Some(again.process().cpu().as_secs_f64());
        figures.restarted = quiet(cli, &world, &again).await;
        figures.restarted_memory = Some(again.process().memory());
        figures.quiet = quiet(cli, &world, &again).await;
        drop(again);
    } else {
        sleep(Duration::from_secs(5)).await;
        figures.pending_memory = Some(running.process().memory());
        drop(running);
    }
    drop(watched);
    world.clean_up().await;
    figures
}

/// Creates the orders, and waits until all are with the CA and their statuses say so.
async fn submit(cli: &Cli, world: &World, running: &mut Running, watched: &Watched, figures: &mut Figures) {
    let start = Instant::now();
    let seconds = || start.elapsed().as_secs_f64();
    let follow = async {
        let counts = || [world.cloud.effects(SUBMIT), world.cloud.effects(ORDER), watched.ordered()];
        let mut progress = Progress::new();
        loop {
            let [submitted, sent, told] = counts();
            for (count, when) in
                [(submitted, &mut figures.submitted), (sent, &mut figures.sent), (told, &mut figures.told)]
            {
                if count == cli.orders && when.is_none() {
                    *when = Some(seconds());
                }
            }
            if told == cli.orders {
                break;
            }
            running.is_alive();
            progress.note(submitted + sent + told);
            sleep(LOOK).await;
        }
    };
    tokio::join!(world.create_orders(cli.orders, cli.rate), follow);
}

/// Lets the CA issue everything, and waits until the statuses say so.
async fn issue(cli: &Cli, world: &World, running: &mut Running, watched: &Watched, figures: &mut Figures) {
    world.issue(cli.orders);
    let before = Count::now(world, running).await;
    let mut progress = Progress::new();
    while watched.issued() < cli.orders {
        running.is_alive();
        progress.note(watched.issued());
        sleep(LOOK).await;
    }
    figures.until_issued = Some(before.until(&Count::now(world, running).await));
    // What follows an issued certificate is over soon.
    sleep(Duration::from_secs(10)).await;
    figures.issued_memory = Some(running.process().memory());
}

/// A window in which nobody asks for anything.
async fn quiet(cli: &Cli, world: &World, running: &Running) -> Option<Window> {
    let before = Count::now(world, running).await;
    sleep(cli.window()).await;
    Some(before.until(&Count::now(world, running).await))
}

/// Ends the measurement when nothing moves any more.
struct Progress {
    count: usize,
    moved: Instant,
}

impl Progress {
    fn new() -> Self {
        Self { count: 0, moved: Instant::now() }
    }

    fn note(&mut self, count: usize) {
        if count != self.count {
            *self = Self { count, moved: Instant::now() };
        }
        assert!(self.moved.elapsed() < STUCK, "nothing has moved for {STUCK:?}: see the operator's log");
    }
}
