//! What kinds of certificates there are to buy.

/// How much the authority checks before it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Domain validation only.
    Dv,
    /// The organisation is vetted.
    Ov,
    /// The organisation is vetted more strictly.
    Ev,
}

/// Which names one certificate may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// One plain name.
    Single,
    /// Several plain names.
    Multi,
    /// One wildcard name.
    Wildcard,
    /// Several names, wildcards among them.
    MultiWildcard,
}

impl Coverage {
    /// Whether names beside the common name belong to the product.
    #[must_use]
    pub fn several_names(self) -> bool {
        matches!(self, Self::Multi | Self::MultiWildcard)
    }

    /// Whether this name may stand in such a certificate.
    #[must_use]
    pub fn allows(self, name: &str) -> bool {
        match self {
            Self::Single | Self::Multi => !name.starts_with("*."),
            Self::Wildcard => name.starts_with("*."),
            Self::MultiWildcard => true,
        }
    }
}
