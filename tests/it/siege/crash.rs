//! The crash test: first a kill at every point in the lifecycle of each kind of order, then random kills.

use super::environment::Environment;
use super::report::Tally;
use super::rng::Rng;
use super::{Settings, Target, kill_points, random_kills};

/// Runs it, and returns its report and everything that is wrong.
pub(crate) async fn run(target: &Target, settings: &Settings) -> (String, Vec<String>) {
    let environment = Environment::start(target).await;
    let tally = Tally::new(settings.seed);
    let mut rng = Rng::new(settings.seed);
    if settings.one_in > 0 {
        kill_points::run(&environment, settings, &mut rng, &tally).await;
    }
    random_kills::run(&environment, settings, &mut rng, &tally).await;
    let mut wrongs = tally.wrongs();
    if !wrongs.is_empty() {
        wrongs.push(format!("the logs of all processes: {}", environment.binary.keep_logs().display()));
    }
    (tally.to_string(), wrongs)
}
