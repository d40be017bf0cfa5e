//! Stories: the operator against simulated clouds, over real HTTP. The cluster is the in-process API, or the one of
//! `CERTORDER_TEST_KUBECONFIG`; the same stories must pass on both.

mod claims;
mod cluster;
mod crashes;
mod fixtures;
mod manifests;
mod modes;
mod money;
mod operator;
mod orders;
mod recoveries;
mod restarts;
mod secrets;
mod world;
