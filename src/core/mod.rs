//! Words and rules without IO: what an order asks for, names, keys, certificates, pace, redaction.
//!
//! Nothing here depends on a cloud, a client or the time of day; the tests need no runtime.

pub mod age;
pub mod annotations;
pub mod application;
pub mod certificate;
pub mod chain;
pub mod clock;
pub mod conditions;
pub mod evidence;
pub mod fingerprint;
pub mod keypair;
pub mod keystore;
pub mod names;
pub mod observation;
pub mod pace;
pub mod pem;
pub mod product;
pub mod redact;
pub mod registered_domain;
pub mod signature;
pub mod succession;
pub mod text;
pub mod x509_name;
