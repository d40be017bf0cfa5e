//! What the kernel tells of a process: processor time, memory, and which one listens on a port. Linux only.

use std::fs;
use std::time::Duration;

/// The clock of `/proc/PID/stat`: 100 ticks a second on every Linux.
const TICKS: f64 = 100.0;

/// A running process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(pub(crate) u32);

/// Resident memory in MiB.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub(crate) struct Memory {
    pub(crate) now: f64,
    pub(crate) peak: f64,
}

impl Process {
    /// The process that listens on a port of this machine.
    pub(crate) fn listening_on(port: u16) -> Option<Self> {
        let inode = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| inode_of(table, port))?;
        let socket = format!("socket:[{inode}]");
        let holds = |pid: u32| {
            let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            files
                .filter_map(|file| fs::read_link(file.path()).ok())
                .any(|link| link.to_str() == Some(&socket))
        };
        let all = fs::read_dir("/proc").ok()?.flatten();
        all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(|pid| holds(*pid)).map(Self)
    }

    /// The processor time that it has used so far, with that of children that have ended.
    pub(crate) fn cpu(self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap_or_default();
        // The name before it may have spaces.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = fields.get(11..15).into_iter().flatten().filter_map(|field| field.parse::<f64>().ok());
        Duration::from_secs_f64(ticks.sum::<f64>() / TICKS)
    }

    /// Its resident memory, and the peak since [`Process::forget_peak`].
    pub(crate) fn memory(self) -> Memory {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        };
        let mib = |name| field(name).unwrap_or_default() / 1024.0;
        Memory { now: mib("VmRSS:"), peak: mib("VmHWM:") }
    }

    /// Begins to count the peak anew.
    pub(crate) fn forget_peak(self) {
        drop(fs::write(format!("/proc/{}/clear_refs", self.0), "5"));
    }
}

fn inode_of(table: &str, port: u16) -> Option<String> {
    const LISTENS: &str = "0A";
    let table = fs::read_to_string(table).ok()?;
    let suffix = format!(":{port:04X}");
    let fields = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let found = fields.into_iter().find(|fields| {
        fields.get(1).is_some_and(|local| local.ends_with(&suffix)) && fields.get(3) == Some(&LISTENS)
    })?;
    found.get(9).map(|inode| (*inode).to_owned())
}
