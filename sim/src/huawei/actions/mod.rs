//! The actions, one file each: what it takes, when it refuses, what it does.

pub(super) mod action;
mod apply;
mod cancel_cert;
mod export;
mod list;
mod show;

use self::action::Action;

/// Every action that this cloud knows.
pub(super) static ALL: [Action; 5] =
    [apply::ACTION, cancel_cert::ACTION, export::ACTION, list::ACTION, show::ACTION];
