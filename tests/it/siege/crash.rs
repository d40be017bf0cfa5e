//! The crash test: first a kill at every point of the life of each kind of order, then a storm.

use super::environment::Camp;
use super::report::Tally;
use super::rng::Chance;
use super::{Place, Settings, kill_points, random_kills};

/// Runs it, and returns its closing lines and whatever is wrong.
pub(crate) async fn run(place: &Place, settings: &Settings) -> (String, Vec<String>) {
    let camp = Camp::pitch(place).await;
    let tally = Tally::new(settings.seed);
    let mut chance = Chance::new(settings.seed);
    if settings.one_in > 0 {
        kill_points::walk(&camp, settings, &mut chance, &tally).await;
    }
    random_kills::storm(&camp, settings, &mut chance, &tally).await;
    let mut wrongs = tally.wrongs();
    if !wrongs.is_empty() {
        wrongs.push(format!("the logs of all processes: {}", camp.binary.keep_logs().display()));
    }
    (tally.to_string(), wrongs)
}
