//! Paging, as the list actions share it.

use crate::cloud::params::{Kind, Param, Params, optional};
use crate::tencent::error::Refusal;

pub(super) const OFFSET: Param = optional("Offset", Kind::Integer);
pub(super) const LIMIT: Param = optional("Limit", Kind::Integer);

/// The largest page; a higher limit is taken for this one.
const MAX_LIMIT: usize = 1000;

/// Which part of a list a call wants.
pub(super) struct Page {
    offset: usize,
    limit: usize,
}

impl Page {
    /// Inferred: a negative number is refused.
    pub(super) fn of(params: &Params, default_limit: usize) -> Result<Self, Refusal> {
        let number = |name, default| match params.integer(name) {
            Some(number) => usize::try_from(number).map_err(|_| Refusal::invalid_value(name, number)),
            None => Ok(default),
        };
        let limit = number("Limit", default_limit)?.min(MAX_LIMIT);
        Ok(Self { offset: number("Offset", 0)?, limit })
    }

    pub(super) fn cut<T>(&self, items: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        items.into_iter().skip(self.offset).take(self.limit)
    }
}
