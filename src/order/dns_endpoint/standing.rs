//! What came of the `DNSEndpoint` of an order, for the status.

use crate::core::conditions::Problem;
use crate::order::dns_endpoint::records::LeftOut;

/// What came of the `DNSEndpoint` of an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It is about to be written. The status says so first, so that it is deleted again whatever happens in between.
    Announced,
    /// It holds the records that it can hold.
    Written {
        /// The records that it cannot hold.
        left_out: Vec<LeftOut>,
        /// Another object has a record of the same name and type, with another value.
        taken: Option<Problem>,
    },
    /// It can hold none of the records, so there is none.
    Empty {
        /// The records.
        left_out: Vec<LeftOut>,
    },
    /// It could not be written.
    Failed(Problem),
    /// It is not needed any more, and gone.
    Gone,
    /// It is not needed any more, and could not be deleted.
    Undeletable(Problem),
}
