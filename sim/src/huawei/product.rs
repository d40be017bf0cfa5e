//! The products of Huawei Cloud SCM, by the words with which they are bought.

use crate::cloud::{Coverage, Level};

/// A product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// The brand (`cert_brand`).
    pub brand: &'static str,
    /// The kind (`cert_type`).
    pub kind: &'static str,
    /// What is vetted.
    pub level: Level,
    /// Which names it covers.
    pub coverage: Coverage,
    /// With which algorithms: the choice of the purchase between RSA and ECC, and SM2.
    pub is_sm2: bool,
}

impl Product {
    /// DV, one name.
    pub const DV_SINGLE: Self = Self::new("TRUSTASIA", "DV_SSL_CERT", Level::Dv, Coverage::Single);
    /// DV, several names.
    pub const DV_MULTI: Self = Self::new("TRUSTASIA", "DV_SSL_CERT", Level::Dv, Coverage::Multi);
    /// DV, one wildcard.
    pub const DV_WILDCARD: Self = Self::new("TRUSTASIA", "DV_SSL_CERT", Level::Dv, Coverage::Wildcard);
    /// OV, one name.
    pub const OV_SINGLE: Self = Self::new("GLOBALSIGN", "OV_SSL_CERT", Level::Ov, Coverage::Single);
    /// OV, several names.
    pub const OV_MULTI: Self = Self::new("GLOBALSIGN", "OV_SSL_CERT", Level::Ov, Coverage::Multi);
    /// OV, one wildcard.
    pub const OV_WILDCARD: Self = Self::new("GLOBALSIGN", "OV_SSL_CERT", Level::Ov, Coverage::Wildcard);
    /// OV, several names, wildcards among them.
    pub const OV_MULTI_WILDCARD: Self =
        Self::new("GLOBALSIGN", "OV_SSL_CERT", Level::Ov, Coverage::MultiWildcard);
    /// OV of Geotrust, one name: the kind that needs `ca_hash_algorithm`.
    pub const OV_GEOTRUST: Self = Self::new(GEOTRUST, "OV_SSL_CERT", Level::Ov, Coverage::Single);
    /// DV with the Chinese algorithms, one name.
    pub const DV_SM2: Self = Self::new("VTRUS", "DV_SSL_CERT", Level::Dv, Coverage::Single).sm2();
    /// OV with the Chinese algorithms, one name.
    pub const OV_SM2: Self = Self::new("CFCA", "OV_SSL_CERT", Level::Ov, Coverage::Single).sm2();
    /// EV, one name.
    pub const EV_SINGLE: Self = Self::new("SYMANTEC", "EV_SSL_CERT", Level::Ev, Coverage::Single);
    /// EV, several names.
    pub const EV_MULTI: Self = Self::new("SYMANTEC", "EV_SSL_CERT", Level::Ev, Coverage::Multi);

    /// A product that the list above lacks.
    #[must_use]
    pub const fn new(brand: &'static str, kind: &'static str, level: Level, coverage: Coverage) -> Self {
        Self { brand, kind, level, coverage, is_sm2: false }
    }

    /// The same product with the Chinese algorithms.
    #[must_use]
    pub const fn sm2(self) -> Self {
        Self { is_sm2: true, ..self }
    }

    /// Whether the authority checks nothing but the domain.
    #[must_use]
    pub fn is_dv(self) -> bool {
        self.level == Level::Dv
    }

    /// Whether the applicant has to choose the hash algorithm of the authority's signature.
    #[must_use]
    pub fn needs_hash_algorithm(self) -> bool {
        self.brand == GEOTRUST && self.level == Level::Ov
    }

    /// The word for its coverage (`domain_type`).
    #[must_use]
    pub fn domain_type(self) -> &'static str {
        match self.coverage {
            Coverage::Single => "SINGLE_DOMAIN",
            Coverage::Multi | Coverage::MultiWildcard => "MULTI_DOMAIN",
            Coverage::Wildcard => "WILDCARD",
        }
    }
}

const GEOTRUST: &str = "GEOTRUST";
