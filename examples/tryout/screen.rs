//! The output: lines, and a table of the orders. On a terminal the table stays below the lines and is redrawn in place;
//! elsewhere a row is printed whenever it changes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

/// The headings, as kubectl prints them.
const HEADINGS: [&str; 7] = ["NAME", "READY", "PHASE", "PROVIDER", "CERTIFICATE", "REASON", "REQUEST"];
/// The minimum width of each column, wide enough that most tables never jump.
const WIDTHS: [usize; 7] = [15, 9, 16, 14, 18, 20, 0];

/// Erases the table from its first line on.
const ERASE: &str = "\x1b[J";
/// Cuts off long lines instead of wrapping them, so that the table has as many lines as rows.
const CUT: (&str, &str) = ("\x1b[?7l", "\x1b[?7h");

/// A row of the table of orders.
pub(crate) type Row = [String; 7];

/// The terminal, or a pipe.
pub(crate) struct Screen {
    is_terminal: bool,
    /// The table as drawn last.
    drawn: Vec<Row>,
    /// Every row as printed last, by its name.
    printed: BTreeMap<String, Row>,
}

impl Screen {
    /// Standard output.
    pub(crate) fn new() -> Self {
        Self { is_terminal: std::io::stdout().is_terminal(), drawn: Vec::new(), printed: BTreeMap::new() }
    }

    /// Prints a line; above the table, if there is one.
    pub(crate) fn say(&mut self, line: &str) {
        if self.is_terminal {
            let table = std::mem::take(&mut self.drawn);
            print(&format!("{}{line}\n{}", erase(&table), draw(&table)));
            self.drawn = table;
        } else {
            print(&format!("{line}\n"));
        }
    }

    /// Shows the orders as they are now.
    pub(crate) fn show(&mut self, rows: Vec<Row>) {
        if self.is_terminal {
            if rows != self.drawn {
                print(&format!("{}{}", erase(&self.drawn), draw(&rows)));
                self.drawn = rows;
            }
            return;
        }
        if self.printed.is_empty() && !rows.is_empty() {
            print(&format!("{}\n", line(&HEADINGS, &WIDTHS)));
        }
        for row in rows {
            let name = row.first().cloned().unwrap_or_default();
            if self.printed.get(&name) != Some(&row) {
                print(&format!("{}\n", line(&row, &WIDTHS)));
                self.printed.insert(name, row);
            }
        }
    }

    /// Leaves the table in place; further output comes below it.
    pub(crate) fn keep(&mut self) {
        self.drawn.clear();
    }
}

fn erase(table: &[Row]) -> String {
    if table.is_empty() { String::new() } else { format!("\x1b[{}A{ERASE}", table.len() + 1) }
}

fn draw(table: &[Row]) -> String {
    if table.is_empty() {
        return String::new();
    }
    let text = columns(&HEADINGS, table).join("\n");
    format!("{}{text}\n{}", CUT.0, CUT.1)
}

/// A table in columns that fit.
pub(crate) fn columns<const N: usize>(headings: &[&str; N], rows: &[[String; N]]) -> Vec<String> {
    let widths: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(String::len).chain([heading.len()]).max().unwrap_or_default() + 2
        })
        .collect();
    let mut lines = vec![line(headings, &widths)];
    lines.extend(rows.iter().map(|row| line(row, &widths)));
    lines
}

fn line(cells: &[impl AsRef<str>], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        let _ = write!(line, "{:<width$}", cell.as_ref()); // A String takes everything.
    }
    line.trim_end().to_owned()
}

/// Writes and flushes. Errors are ignored: if the reader closes the pipe (`| head`), the tryout still runs to its end.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
