//! Huawei Cloud SCM (the certificate manager of CCM, API v3), simulated from its documentation.
//!
//! A request goes through the parts that all clouds share ([`crate::cloud`]) → `gateway` (`route`, `identity`,
//! `sign`) → `actions`. Tests and the tryout play the authority and the console: [`HuaweiCloud::advance`],
//! [`HuaweiCloud::issue`], [`HuaweiCloud::reject`] and their like in `moves` and `console`, and [`HuaweiCloud::set`] for
//! everything else. By itself, as its clock goes on, the cloud ends what has run out and makes the certificates that
//! follow others (`following`): those of a [`Term`].
//!
//! It is strict: what the documents do not allow is refused. A comment that starts with "Inferred:" marks what they
//! leave open and this simulator had to decide.

mod account;
mod actions;
mod certificate;
mod console;
mod encoding;
mod error;
mod following;
mod gateway;
mod identity;
mod invocation;
mod lifecycle;
mod moves;
mod options;
mod platform;
mod product;
mod route;
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
    certificate::{Certificate, DomainAuth, InPlace, Status},
    error::Refusal,
    options::Options,
    product::Product,
    simulated::{Call, Fault, HuaweiCloud, MoveError},
    submission::Submission,
    succession::{Identity, OrderNumber, Start, Succession},
    term::{Plan, Term},
};
pub use crate::cloud::{
    Coverage, IssueError, Issued, Level, Life, Pace, RequestBody, Shape, UnknownCertificate,
};
