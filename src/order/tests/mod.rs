//! Tests of the pure steps: tables of `plan`, `fold` and `claim`, and histories in a world of their own.

mod calls;
mod claim;
mod cloud;
mod fold;
mod history;
mod plan;
mod rivals;
mod support;
mod world;
