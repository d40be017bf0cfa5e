//! What this cloud is made of, for the parts that all clouds share.

use super::{account::Account, certificate::Certificate, error::Refusal, options::Options, product::Product};
use crate::cloud::Platform;

/// The service.
pub struct Tencent;

impl Platform for Tencent {
    type Options = Options;
    type Account = Account;
    type Product = Product;
    type Certificate = Certificate;
    type Refusal = Refusal;
}
