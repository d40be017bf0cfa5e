//! What the simulated clouds share, whatever their protocol: the HTTP server, faults, the ledger, the frequency limit,
//! access keys, and a certificate authority.
//!
//! A request goes `server` → `exchange` (faults, ledger) → the service of the cloud.

pub(crate) mod ca;
mod connection;
pub(crate) mod credential;
pub(crate) mod csr;
pub(crate) mod exchange;
mod faults;
pub(crate) mod issue;
mod ledger;
mod life;
mod moves;
pub(crate) mod names;
pub(crate) mod params;
mod product;
pub(crate) mod rate;
pub(crate) mod request;
pub(crate) mod server;
mod service;
mod shape;
mod simulated;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod time;
mod world;

pub use self::{
    faults::Fault,
    issue::{IssueError, Issued},
    ledger::{Call, Pace, RequestBody},
    life::Life,
    moves::{MoveError, UnknownCertificate},
    product::{Coverage, Level},
    service::Platform,
    shape::Shape,
    simulated::Simulated,
};
pub(crate) use self::{
    request::{Answer, Content, Request},
    service::{Backend, Service, Subject},
};
