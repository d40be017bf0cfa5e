//! The handle of this cloud, and the types that it has in common with other clouds.

use super::{account::Account, certificate::Status, error::Refusal, platform::Tencent};
use crate::cloud;

/// A line of the ledger.
pub type Call = cloud::Call<Account>;
/// A rule by which calls fail.
///
/// ```
/// # use certorder_sim::tencent::Fault;
/// // The second submission of this certificate is stored, but its reply never arrives.
/// let fault = Fault::reply_lost().action("CertificateInfoSubmit").certificate("J2lX2maH").after(1);
/// ```
pub type Fault = cloud::Fault<Refusal>;
/// Why the authority cannot do something with a certificate.
pub type MoveError = cloud::MoveError<Status>;

/// The simulated cloud, serving on a loopback port until its last clone is dropped.
///
/// A certificate is bought in the status 5, or 13 if it is free.
pub type TencentCloud = cloud::Simulated<Tencent>;
