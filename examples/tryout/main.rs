//! The whole system on one machine: a Kubernetes API and two clouds, all simulated, and the operator between them.
//!
//! - [`manifests`]: what is applied, and what each order announces to reach;
//! - [`cluster`]: where it is applied: the API in process, or a real cluster;
//! - [`cloud`]: the accounts, the certificates bought, and the CAs;
//! - [`operator`]: the operator, as `certorder run` runs it;
//! - [`story`]: waits until every order is where its manifest says;
//! - [`certificate`]: what the Secrets of the issued orders hold;
//! - [`screen`]: a live table on a terminal, one line for each change elsewhere.

mod certificate;
mod cloud;
mod cluster;
mod error;
mod manifests;
mod operator;
mod screen;
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
/// Starts a Kubernetes API and simulated Tencent and Huawei Clouds in this process, and the operator with them; applies
/// examples/manifests, plays the CA, and ends once every order has reached what its manifest announces.
#[derive(Parser)]
#[command(name = "tryout")]
struct Flags {
    /// Stay up after that, print a kubeconfig and what to try with it, and end with ctrl-c.
    #[arg(long)]
    stay: bool,

    /// Use the cluster of this kubeconfig instead: certorder's CRDs are installed or updated there and left, the
    /// namespace of the manifests is made, and removed at the end unless --stay. The clouds stay simulated. Take no
    /// cluster where certorder runs already.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

/// How the tryout ended when nothing went wrong.
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

/// Everything between the start and the cleaning up.
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
    let told = tokio::select! {
        told = story.tell(stay) => told.map(|()| Ending::Reached),
        () = stop.clone() => Ok(story.ending()),
        ended = operator.ended() => Err(ended),
    };
    let stopped = operator.stop().await;
    let ending = told?;
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
