//! What must hold for any bytes whatsoever, beside that nothing panics: one file for each kind of input.
//!
//! The fuzz targets and `tests/corpus.rs` share this folder.

pub(crate) mod archive;
pub(crate) mod chain;
pub(crate) mod cloud;
pub(crate) mod csr;
pub(crate) mod huawei_answer;
pub(crate) mod huawei_certificate;
pub(crate) mod names;
mod pem;
pub(crate) mod private_key;
pub(crate) mod redact;
pub(crate) mod tencent_answer;
pub(crate) mod tencent_certificate;

/// A check, by the name of its target and of its folder in the corpus.
pub(crate) type Check = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const ALL: &[Check] = &[
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
