//! Integration tests (stories): the operator against simulated clouds, over real HTTP. The cluster is the in-process API,
//! or the one of `CERTORDER_TEST_KUBECONFIG`; the same tests must pass on both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy allows these only in functions marked as tests, and stories share helpers"
)]

mod at_rest;
mod caches;
mod claim_upgrades;
mod claims;
mod clouds;
mod cluster;
mod crashes;
mod deploy;
mod dns_endpoints;
mod docs;
mod fixtures;
mod following;
mod gitops;
mod guide;
mod huawei;
mod installations;
mod leaders;
mod leases;
mod manifests;
mod markers;
mod modes;
mod money;
mod neighbours;
mod operator;
mod operator_policies;
mod orders;
mod outputs;
mod payload_hashes;
mod permissions;
mod policies;
mod process;
mod profiles;
mod recoveries;
mod renewal_kills;
mod renewal_years;
mod renewals;
mod restarts;
mod rules;
mod second_attempts;
mod second_clusters;
mod secret_watch;
mod secrets;
#[allow(dead_code, reason = "a part of it is for the long runs")]
mod siege;
mod sm2;
mod starts;
mod structure;
mod supply_chain;
mod takeovers;
mod tenants;
mod under_siege;
mod world;
