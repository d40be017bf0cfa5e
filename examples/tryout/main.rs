//! The whole system on one machine: a Kubernetes API and two clouds, all simulated, and the operator between them.
//!
//! - [`manifests`]: the manifests, and the state that each order announces;
//! - [`cluster`]: the cluster: the in-process API, or a real one;
//! - [`served`]: waits until that serves a kind;
//! - [`cloud`]: the accounts, the bought certificates, and the CAs;
//! - [`operator`]: the operator, as `certorder run` runs it;
//! - [`story`]: waits until every order reaches the state that its manifest announces;
//! - [`certificate`]: the content of the Secrets of the issued orders;
//! - [`screen`]: a live table on a terminal, one line for each change elsewhere.

mod certificate;
mod cloud;
mod cluster;
mod error;
mod manifests;
mod operator;
mod screen;
mod served;
mod story;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio::signal::unix::{SignalKind, signal};

use cloud::Cloud;
use cluster::Cluster;
use error::Error;
use manifests::Manifests;
use operator::Operator;
use screen::Screen;
use story::Story;

/// Shows certorder at work: no cluster and no cloud account needed.
///
/// Starts a Kubernetes API, simulated Tencent and Huawei Clouds, and the operator in this process; applies
/// examples/manifests, simulates the CA, and exits once every order has reached the state that its manifest announces.
#[derive(Parser)]
#[command(name = "tryout")]
struct Flags {
    /// Keep running after that, and print a kubeconfig and what to try with it; ctrl-c stops it.
    #[arg(long)]
    stay: bool,

    /// Use the cluster of this kubeconfig instead: certorder's CRDs are installed or updated and stay there; the
    /// namespace of the manifests is created, and deleted at the end unless --stay. The clouds stay simulated. Do not
    /// use a cluster where certorder runs already.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

/// How the tryout ended without an error.
enum Ending {
    /// Every order reached what its manifest announces.
    Reached,
    /// By ctrl-c or SIGTERM, before that.
    Interrupted,
}

/// Resolves on ctrl-c or SIGTERM.
type Stop = Shared<BoxFuture<'static, ()>>;

#[tokio::main]
async fn main() -> ExitCode {
    match tryout(&Flags::parse()).await {
        Ok(Ending::Reached) => ExitCode::SUCCESS,
        // As a shell reports an interrupt.
        Ok(Ending::Interrupted) => ExitCode::from(130),
        Err(error) => {
            eprintln!("tryout: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn tryout(flags: &Flags) -> Result<Ending, Error> {
    let stop = stop()?;
    let manifests = Manifests::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/manifests"))?;
    let cloud = Cloud::start(&manifests).await?;
    let cluster = Cluster::connect(flags.kubeconfig.as_deref()).await?;
    let mut screen = Screen::new();
    let [tencent, huawei] = cloud.urls();
    screen.say(&format!(
        "Kubernetes API: {cluster}; simulated: Tencent Cloud at {tencent}, Huawei Cloud at {huawei}"
    ));
    let outcome = on(&cluster, &cloud, &manifests, flags.stay, &mut screen, &stop).await;
    if cluster.is_real() && flags.stay {
        screen.say(&format!(
            "what was applied stays; to remove it: kubectl delete namespace {}",
            manifests.namespace
        ));
        return outcome;
    }
    let cleaned = cluster.clean(&manifests, &mut screen).await;
    let ending = outcome?;
    cleaned.map(|()| ending)
}

/// Everything between the start and the cleanup.
async fn on(
    cluster: &Cluster,
    cloud: &Cloud,
    manifests: &Manifests,
    stay: bool,
    screen: &mut Screen,
    stop: &Stop,
) -> Result<Ending, Error> {
    tokio::select! {
        prepared = cluster.prepare(manifests, screen) => prepared?,
        () = stop.clone() => return Ok(Ending::Interrupted),
    }
    let [tencent, huawei] = &cloud.urls();
    let mut operator = Operator::start(cluster.client(), [tencent, huawei], &manifests.namespace)?;
    let mut story = Story::new(cluster, cloud, manifests, screen);
    let outcome = tokio::select! {
        finished = story.run(stay) => finished.map(|()| Ending::Reached),
        () = stop.clone() => Ok(story.ending()),
        error = operator.stopped() => Err(error),
    };
    let stopped = operator.stop().await;
    let ending = outcome?;
    stopped.map(|()| ending)
}

fn stop() -> Result<Stop, Error> {
    let signal = |kind| signal(kind).map_err(|source| Error::io("listen for ctrl-c", source));
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let first = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    Ok(first.boxed().shared())
}
