//! sim
mod clock;
pub mod kube;
pub mod proxy;
pub mod tencent;
