//! What was measured, and the table of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::Cli;
use crate::api::Requests;
use crate::machine::Memory;

/// What happened within a time.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Window {
    pub(crate) seconds: f64,
    /// Requests to the API server.
    pub(crate) requests: Requests,
    /// Calls to the cloud by action.
    pub(crate) calls: BTreeMap<String, usize>,
    /// Processor time in seconds.
    pub(crate) operator_cpu: f64,
    pub(crate) api_cpu: Option<f64>,
}

/// The figures of one run. Times are seconds from the first create, memory is MiB.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) program: &'static str,
    pub(crate) orders: usize,
    /// At the start, without orders.
    pub(crate) idle_memory: Memory,
    /// All are handed in, by the cloud.
    pub(crate) submitted: Option<f64>,
    /// All are sent to the CA, by the cloud.
    pub(crate) sent: Option<f64>,
    /// All are sent to the CA, by their statuses.
    pub(crate) told: Option<f64>,
    pub(crate) until_with_the_ca: Window,
    /// While all wait for the CA.
    pub(crate) pending: Option<Window>,
    pub(crate) pending_memory: Option<Memory>,
    pub(crate) until_issued: Option<Window>,
    pub(crate) issued_memory: Option<Memory>,
    /// From the start of another process to its readiness.
    pub(crate) ready_again: Option<f64>,
    pub(crate) ready_again_cpu: Option<f64>,
    /// The window after that start, and the one after it.
    pub(crate) restarted: Option<Window>,
    pub(crate) restarted_memory: Option<Memory>,
    pub(crate) quiet: Option<Window>,
    pub(crate) wrongs: Vec<String>,
}

impl Figures {
    pub(crate) fn new(program: &'static str, orders: usize, idle_memory: Memory) -> Self {
        Self {
            program,
            orders,
            idle_memory,
            submitted: None,
            sent: None,
            told: None,
            until_with_the_ca: Window::default(),
            pending: None,
            pending_memory: None,
            until_issued: None,
            issued_memory: None,
            ready_again: None,
            ready_again_cpu: None,
            restarted: None,
            restarted_memory: None,
            quiet: None,
            wrongs: Vec::new(),
        }
    }

    fn count(&self) -> f64 {
        f64::from(u32::try_from(self.orders).unwrap())
    }

    /// The rows that are compared: a name, and the figure if there is one.
    fn rows(&self) -> Vec<(&'static str, Option<f64>)> {
        let orders = self.count();
        let each = |value: f64| value / orders;
        let until = &self.until_with_the_ca;
        let all = |window: &Window| window.requests.values().sum::<f64>();
        let matching = |window: &Window, part: &str| {
            window
                .requests
                .iter()
                .filter(|(name, _)| name.contains(part))
                .map(|(_, count)| count)
                .sum::<f64>()
        };
        let is_write = |name: &str| !["GET", "LIST", "WATCH"].iter().any(|verb| name.starts_with(verb));
        let writes = |window: &Option<Window>| {
            let requests = window.as_ref()?.requests.iter();
            Some(requests.filter(|(name, _)| is_write(name)).map(|(_, count)| count).sum::<f64>())
        };
        let calls = |window: &Window| f64::from(u32::try_from(window.calls.values().sum::<usize>()).unwrap());
        let now = |memory: Option<Memory>| memory.map(|memory| memory.now);
        let peak = |memory: Option<Memory>| memory.map(|memory| memory.peak);
        let beyond = |memory: Option<Memory>| {
            memory.map(|memory| (memory.now - self.idle_memory.now) * 1024.0 / orders)
        };
        let percent = |window: &Option<Window>| {
            window.as_ref().map(|window| window.operator_cpu / window.seconds * 100.0)
        };
        vec![
            ("orders a second until all are with the CA", self.sent.map(|seconds| orders / seconds)),
            ("seconds until all are handed in", self.submitted),
            ("seconds until all are sent to the CA", self.sent),
            ("seconds until all statuses say so", self.told),
            ("API requests for each order until then", Some(each(all(until)))),
            ("of them lists", Some(each(matching(until, "LIST")))),
            ("of them status writes", Some(each(matching(until, "/status")))),
            ("of them Events", Some(each(matching(until, "events")))),
            ("CPU of the API server for each order, ms", until.api_cpu.map(|cpu| each(cpu * 1000.0))),
            ("CPU of the operator for each order, ms", Some(each(until.operator_cpu * 1000.0))),
            ("cloud calls for each order until then", Some(each(calls(until)))),
            ("memory without orders, MiB", Some(self.idle_memory.now)),
            ("memory, all with the CA, MiB", now(self.pending_memory)),
            ("the peak up to then, MiB", peak(self.pending_memory)),
            ("beyond the idle process for each order, KiB", beyond(self.pending_memory)),
            ("while they wait: cloud calls", self.pending.as_ref().map(calls)),
            ("while they wait: API writes", writes(&self.pending)),
            ("while they wait: CPU of the operator, %", percent(&self.pending)),
            ("seconds from issued to told", self.until_issued.as_ref().map(|window| window.seconds)),
            (
                "API requests for each order meanwhile",
                self.until_issued.as_ref().map(|window| each(all(window))),
            ),
            ("memory, all issued, MiB", now(self.issued_memory)),
            ("the peak up to then, MiB ", peak(self.issued_memory)),
            ("restart: seconds to ready", self.ready_again),
            ("restart: CPU to ready, s", self.ready_again_cpu),
            ("restart: API writes", writes(&self.restarted)),
            ("restart: cloud calls", self.restarted.as_ref().map(calls)),
            ("restart: memory, MiB", now(self.restarted_memory)),
            ("quiet: API writes", writes(&self.quiet)),
            ("quiet: cloud calls", self.quiet.as_ref().map(calls)),
            ("quiet: CPU of the operator, %", percent(&self.quiet)),
        ]
    }
}

/// The table of all runs: the mean of each program, and its ratio to the baseline.
pub(crate) fn table(cli: &Cli, all: &[Figures]) -> String {
    let mut programs: Vec<&str> = Vec::new();
    for figures in all {
        if !programs.contains(&figures.program) {
            programs.push(figures.program);
        }
    }
    let mean = |program: &str, row: usize| {
        let of_it = all.iter().filter(|figures| figures.program == program);
        let values: Option<Vec<f64>> = of_it.map(|figures| figures.rows()[row].1).collect();
        let values = values?;
        let count = f64::from(u32::try_from(values.len()).unwrap());
        Some(values.iter().sum::<f64>() / count)
    };
    let mut text = format!(
        "{} orders of {} accounts, {} round(s), quiet windows of {} s; cloud {} ms, API server {} and {} ms\n\n| |",
        cli.orders,
        cli.accounts,
        cli.rounds,
        cli.quiet,
        cli.cloud_latency,
        if cli.kubeconfig.is_some() { "real" } else { "simulated" },
        cli.api_latency,
    );
    let has_ratio = programs.contains(&"baseline") && programs.contains(&"new");
    for program in &programs {
        write!(text, " {program} |").unwrap();
    }
    text += if has_ratio { " new / baseline |\n|---|" } else { "\n|---|" };
    text += &"---|".repeat(programs.len() + usize::from(has_ratio));
    for (row, (name, _)) in all[0].rows().iter().enumerate() {
        if programs.iter().all(|program| mean(program, row).is_none()) {
            continue;
        }
        write!(text, "\n| {} |", name.trim()).unwrap();
        for program in &programs {
            match mean(program, row) {
                // An empty sum of floats is a negative zero.
                Some(value) => write!(text, " {:.2} |", value + 0.0).unwrap(),
                None => text += " |",
            }
        }
        if has_ratio {
            match mean("new", row).zip(mean("baseline", row).filter(|value| *value > 0.0)) {
                Some((new, old)) => write!(text, " {:.2} |", new / old).unwrap(),
                None => text += " |",
            }
        }
    }
    text += "\n";
    for program in &programs {
        let Some(figures) = all.iter().find(|figures| figures.program == *program) else { continue };
        write!(text, "\n{program}: requests until all are with the CA, of the first round\n").unwrap();
        for (name, count) in &figures.until_with_the_ca.requests {
            writeln!(text, "  {name}: {count}").unwrap();
        }
        for (name, count) in &figures.until_with_the_ca.calls {
            writeln!(text, "  {name}: {count}").unwrap();
        }
    }
    text
}
