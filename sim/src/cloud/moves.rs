//! Why a test's move is not possible.

/// No certificate has this id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the simulated cloud has no certificate {0}; buy it first")]
pub struct UnknownCertificate(pub String);

/// Why the authority cannot do something with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoveError<S> {
    /// There is no such certificate.
    #[error(transparent)]
    Unknown(#[from] UnknownCertificate),
    /// The certificate is in no state for it.
    #[error("certificate {0} has the status {1}, from which this does not happen")]
    WrongStatus(String, S),
    /// What was bought has no such thing, or not any more.
    #[error("certificate {0} has no reissue: {1}")]
    NoReissue(String, &'static str),
    /// The order has no such name.
    #[error("certificate {0} has no running order for the name {1}")]
    NoSuchName(String, String),
}
