//! The annotations, the label and the finalizer that users and the controllers share.

use crate::core::text::truncate;

/// The annotation that requests a pass now; any value that was not handled yet.
pub const RECONCILE_AT: &str = "certorder.dev/reconcile-at";
/// The annotation that stops a running review; its value is the id of the certificate.
pub const WITHDRAW: &str = "certorder.dev/withdraw";
/// The annotation that requests another attempt; its value is a time within the last hour, RFC 3339.
pub const RESUBMIT_AT: &str = "certorder.dev/resubmit-at";
/// The finalizer of an order whose deletion must undo something at the cloud.
pub const FINALIZER: &str = "certorder.dev/cleanup";
/// The annotation that confirms a revocation; its value is the id of the certificate.
pub const CONFIRM_REVOKE: &str = "certorder.dev/confirm-revoke";
/// The label of an order that certorder made for a successor; its value is `true`.
pub const RENEWAL: &str = "certorder.dev/renewal";
/// The label of a Secret whose key is not that of the certificate in use any more; its value is `true`.
pub const SUPERSEDED: &str = "certorder.dev/superseded";
/// The annotation of such an order with the name of the user's order that it renews.
pub const RENEWAL_OF: &str = "certorder.dev/renewal-of";
/// The label of a Secret whose content may be used on behalf of a user without read access to it, where it is sent to a cloud
/// or leaves a trace by which it can be guessed.
pub const READABLE: &str = "certorder.dev/readable";

/// The value of an annotation as the status echoes it: cut at what fits there.
#[must_use]
pub fn handled_value(asked: &str) -> String {
    truncate(asked, LONGEST_HANDLED)
}

/// The longest echo of an annotation, in bytes.
const LONGEST_HANDLED: usize = 256;
