//! Tests of the pure steps: tables of `plan`, `fold` and `claim`, and random histories with a simulated cloud.

mod algorithms;
mod budget;
mod calls;
mod claim;
mod clocks;
mod cloud;
mod dns_endpoint;
mod finalize;
mod fold;
mod hashes;
mod history;
mod mapping;
mod one_call;
mod plan;
mod renewal;
mod renewal_history;
mod restarts;
mod rivals;
mod settled;
mod status;
mod steps;
mod support;
mod world;
