//! The steps of a renewal, and what came of them.

use crate::core::conditions::Problem;
use crate::order::facts::Term;
use crate::provider::Error;

/// The next step of a renewal. But for a reissue none of them is a call that writes at a cloud.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RenewalStep {
    /// Make the order for the successor, with the key that it begins with.
    Make {
        /// The successor.
        certificate_id: String,
    },
    /// Bring the order for the successor up to what the user asks for.
    Edit {
        /// Its name.
        order: String,
    },
    /// Fetch the issued successor, and put it into the Secrets.
    Swap {
        /// The successor.
        certificate_id: String,
    },
    /// Store an intent, then ask the cloud once to reissue the current certificate.
    Reissue {
        /// 1, or one more than that of the call whose result is absent.
        attempt: i64,
    },
    /// Delete the order of a certificate that ran out and is not the current one.
    Remove {
        /// Its name.
        order: String,
    },
}

/// What came of a step.
pub enum Renewed {
    /// The order of the successor is there.
    Made,
    /// It was changed, or deleted; or there was nothing to do.
    Changed,
    /// The API server refuses the order of the successor.
    Refused(Problem),
    /// The successor stands in the Secrets now.
    Swapped {
        /// Its id.
        certificate_id: String,
        /// Its validity.
        term: Term,
    },
    /// The successor must not or cannot be written.
    NotSwapped(Problem),
    /// The successor with this id ends no later than the present certificate, and is left aside for good.
    EndsEarlier(String, Problem),
    /// The successor could not be fetched.
    NotFetched(Error),
}
