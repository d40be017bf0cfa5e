//! What must hold for any bytes whatsoever, beside that nothing panics: one file for each kind of input.
//!
//! The fuzz targets and `tests/corpus.rs` share this folder.

pub mod archive;
pub mod chain;
pub mod cloud;
pub mod csr;
pub mod huawei_answer;
pub mod huawei_certificate;
pub mod names;
mod pem;
pub mod private_key;
pub mod redact;
pub mod tencent_answer;
pub mod tencent_certificate;

/// A check, by the name of its target and of its folder in the corpus.
pub type Check = (&'static str, fn(&[u8]));

/// All of them.
pub const ALL: &[Check] = &[
    ("archive", archive::check),
    ("chain", chain::check),
    ("csr", csr::check),
    ("huawei_answer", huawei_answer::check),
    ("huawei_certificate", huawei_certificate::check),
    ("names", names::check),
    ("private_key", private_key::check),
    ("redact", redact::check),
    ("tencent_answer", tencent_answer::check),
    ("tencent_certificate", tencent_certificate::check),
];
