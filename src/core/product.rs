//! The bought product, and how much its CA checks.

/// How much a CA checks before it signs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, strum::Display)]
#[strum(serialize_all = "UPPERCASE")]
pub enum Level {
    /// Control of the names.
    Dv,
    /// The organisation, too.
    Ov,
    /// The organisation, more strictly.
    Ev,
}

/// The bought product.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Product {
    /// The cloud's name for it.
    pub name: Option<String>,
    /// Whether only control of the domain is checked (DV), and no organisation.
    pub domain_validated: Option<bool>,
    /// Whether it covers a wildcard name.
    pub wildcard: Option<bool>,
    /// How many names it covers.
    pub names: Option<u32>,
    /// What the CA checks.
    pub level: Option<Level>,
    /// Whether the review of a saved organisation can be skipped; `None` if that is unknown.
    pub automatic_review: Option<bool>,
}
