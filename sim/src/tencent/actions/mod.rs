//! The actions, one file each: what it takes, when it refuses, what it does.

pub(super) mod action;
mod audit;
mod certificate_info_submit;
mod certificate_order_submit;
mod check_domain_verification;
mod describe_certificate;
mod describe_certificate_detail;
mod describe_certificates;
mod download_certificate;
mod letter;
mod operate_logs;
mod page;
mod profiles;
mod replace_certificate;
mod revoke;

use self::action::Action;
use crate::cloud::params::Param;

/// Every action that this cloud knows; any other answers `InvalidAction`.
pub(super) const ALL: &[Action] = &[
    audit::CANCEL,
    audit::RESUBMIT,
    certificate_info_submit::ACTION,
    certificate_order_submit::ACTION,
    check_domain_verification::ACTION,
    describe_certificate::ACTION,
    describe_certificate_detail::ACTION,
    describe_certificates::ACTION,
    download_certificate::ACTION,
    letter::ACTION,
    operate_logs::ACTION,
    profiles::COMPANIES,
    profiles::MANAGERS,
    replace_certificate::ACTION,
    revoke::ACTION,
];

/// The parameters that only the China site declares, by action.
pub(super) const CHINA: [(&str, &[Param]); 2] = [
    (describe_certificates::ACTION.name, describe_certificates::CHINA),
    (replace_certificate::ACTION.name, replace_certificate::CHINA),
];
