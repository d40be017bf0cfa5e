//! Renewal: how an order keeps its certificate valid when the cloud makes another one in its place.
//!
//! An order has a *current* certificate: its own at first, and after a swap the successor. A pass reads the current one at the
//! cloud. Where a successor is shown ([`read`]), [`choice`] says whether it is the right one, [`assess`] how far it is and what
//! comes next: an order of its own for it ([`successor`]), and once that one is issued, the swap of the Secrets ([`swap`] has
//! the rule). [`due`] says when all this begins, [`reissue`] when
//! the cloud is asked to make a successor, [`mod@recall`] finds the current certificate after the status was lost.

pub mod ask;
pub mod assess;
pub mod carry;
pub mod chain;
pub mod choice;
pub mod due;
pub mod keys;
pub mod look;
pub mod metrics;
pub mod read;
pub mod recall;
pub mod reissue;
pub mod step;
pub mod successor;
pub mod swap;

pub use assess::{Assessment, assess};
pub use look::Look;
pub use step::{RenewalStep, Renewed};
