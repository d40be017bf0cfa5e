//! The rules of the service, seen from outside: real HTTP, and a signer of these tests' own.

mod client;
mod following;
mod gateway;
mod info_submit;
mod life;
mod lists;
mod order;
mod reissue;
mod reviews;
mod vectors;
