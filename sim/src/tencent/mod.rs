//! Tencent Cloud SSL (API version 2019-12-05), simulated from its documentation.
//!
//! A request goes through the parts that all clouds share ([`crate::cloud`]) → `gateway` (`sign`) → `actions`.
//! Tests and the tryout play the authority: [`TencentCloud::advance`], [`TencentCloud::issue`],
//! [`TencentCloud::reject`] and their like in `moves`; the console in `console`; and [`TencentCloud::set`] for
//! everything else. By itself, as its clock goes on, the cloud ends what has run out and makes the certificates that
//! follow others (`following`): those of a [`Term`], and those that `AutoRenewFlag` buys.
//!
//! It is strict: what the documents do not allow is refused. A comment that starts with "Inferred:" marks what they
//! leave open and this simulator had to decide. Error messages are English, whatever `X-TC-Language` asks for.

mod account;
mod actions;
mod certificate;
mod chain;
mod console;
mod error;
mod faults;
mod following;
mod gateway;
mod invocation;
mod lifecycle;
mod links;
mod moves;
mod options;
mod platform;
mod product;
mod profile;
mod reissue;
mod review;
mod service;
mod sign;
mod simulated;
mod state;
mod submission;
mod succession;
mod term;
#[cfg(test)]
mod tests;

pub use self::{
    account::Account,
    certificate::{Certificate, DomainAuth, Finding, ReissueRun, Source, Status},
    console::{MOST_PROFILES, TooManyProfiles},
    error::Refusal,
    links::{Links, Predecessors, Successors, Visibility},
    options::{Options, ProofRule, ReissueRules, ReissuedEnd, RevocationRule, Side, Site},
    product::Product,
    profile::{Company, Manager, ManagerLevel, Review},
    simulated::{Call, Fault, MoveError, TencentCloud},
    submission::Submission,
    succession::{LinkedEnds, Start, Succession, Way},
    term::{Plan, Term},
};
pub use crate::cloud::{
    Coverage, IssueError, Issued, Level, Life, Pace, RequestBody, Shape, UnknownCertificate,
};
