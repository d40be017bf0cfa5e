//! Words and rules without IO: what an order asks for, names, keys, certificates, pace, redaction.
//!
//! Nothing here knows a cloud, a client or the time of day; the tests need no runtime.

pub mod certificate;
pub mod chain;
pub mod conditions;
pub mod keypair;
pub mod keystore;
pub mod names;
pub mod order;
pub mod pace;
pub mod pem;
pub mod redact;
pub mod signature;
pub mod text;
pub mod x509_name;
