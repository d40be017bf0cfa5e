//! Stories: the operator against simulated clouds, over real HTTP. The cluster is the in-process API, or the one of
//! `CERTORDER_TEST_KUBECONFIG`; the same stories must pass on both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy allows these in functions marked as tests only, and stories share helpers"
)]

mod caches;
mod claims;
mod clouds;
mod cluster;
mod crashes;
mod deploy;
mod docs;
mod fixtures;
mod following;
mod gitops;
mod huawei;
mod leaders;
mod manifests;
mod markers;
mod modes;
mod money;
mod operator;
mod orders;
mod outputs;
mod permissions;
mod policies;
mod process;
mod profiles;
mod recoveries;
mod restarts;
mod rules;
mod second_attempts;
mod secrets;
#[allow(dead_code, reason = "a part of it is for the long runs")]
mod siege;
mod starts;
mod structure;
mod under_siege;
mod world;
