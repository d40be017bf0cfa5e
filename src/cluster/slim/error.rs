//! Why an answer of the API server cannot be used.

/// Why an answer of the API server cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadAnswer {
    /// A list was asked for.
    #[error("the API server answered with something else than the list that was asked for")]
    NoList,
    /// A watch was asked for.
    #[error("the API server answered with something else than the events that were asked for")]
    NoEvents,
    /// Longer than any object may be.
    #[error("the API server answered with an object of more than 3 MiB, which is more than it takes")]
    TooLong,
}
