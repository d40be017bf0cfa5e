//! Which saved profile a profile matches, what its status reports, and what orders take from it.

mod fold;
mod lookups;
mod matching;
mod reuse;
mod support;
