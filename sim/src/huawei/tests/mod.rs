//! The rules of the service, seen from outside: real HTTP, and a signer of these tests' own.

mod apply;
mod client;
mod faults;
mod following;
mod gateway;
mod life;
mod lists;
mod vectors;
