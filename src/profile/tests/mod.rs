//! What a profile stands for, what its status says, and what orders take from it.

mod fold;
mod lookups;
mod matching;
mod reuse;
mod support;
