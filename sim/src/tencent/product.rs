//! The products of Tencent Cloud SSL: what a bought certificate may cover and who must be vetted for it.

use crate::cloud::{Coverage, Level};

/// A product, as the price list of Tencent Cloud's international site has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// The product id, which the API calls `PackageType` and writes as text.
    pub package_type: u32,
    /// The brand.
    pub brand: &'static str,
    /// What is vetted.
    pub level: Level,
    /// Which names it covers.
    pub coverage: Coverage,
}

impl Product {
    /// A free DV certificate for one name; its status starts at 13.
    pub const FREE_DV: Self = Self::new(83, "TrustAsia", Level::Dv, Coverage::Single);
    /// DV, one name.
    pub const DV_SINGLE: Self = Self::new(25, "WoTrus", Level::Dv, Coverage::Single);
    /// DV, several names.
    pub const DV_MULTI: Self = Self::new(11, "TrustAsia", Level::Dv, Coverage::Multi);
    /// DV, one wildcard.
    pub const DV_WILDCARD: Self = Self::new(12, "TrustAsia", Level::Dv, Coverage::Wildcard);
    /// DV, several wildcards.
    pub const DV_MULTI_WILDCARD: Self = Self::new(42, "TrustAsia", Level::Dv, Coverage::MultiWildcard);
    /// DV of the `DNSPod` series, one name: the series that takes `CaType`.
    pub const DV_DNSPOD: Self = Self::new(48, DNSPOD, Level::Dv, Coverage::Single);
    /// DV with the Chinese algorithms, one name.
    pub const DV_SM2: Self = Self::new(33, "DNSPod SM2", Level::Dv, Coverage::Single);
    /// OV with the Chinese algorithms, one name.
    pub const OV_SM2: Self = Self::new(37, "DNSPod SM2", Level::Ov, Coverage::Single);
    /// OV, one name.
    pub const OV_SINGLE: Self = Self::new(14, "TrustAsia", Level::Ov, Coverage::Single);
    /// OV, several names.
    pub const OV_MULTI: Self = Self::new(15, "TrustAsia", Level::Ov, Coverage::Multi);
    /// OV, one wildcard.
    pub const OV_WILDCARD: Self = Self::new(13, "TrustAsia", Level::Ov, Coverage::Wildcard);
    /// OV, several wildcards.
    pub const OV_MULTI_WILDCARD: Self = Self::new(21, "TrustAsia", Level::Ov, Coverage::MultiWildcard);
    /// EV, one name.
    pub const EV_SINGLE: Self = Self::new(16, "TrustAsia", Level::Ev, Coverage::Single);
    /// EV, several names.
    pub const EV_MULTI: Self = Self::new(17, "TrustAsia", Level::Ev, Coverage::Multi);

    /// A product that the list above lacks.
    #[must_use]
    pub const fn new(package_type: u32, brand: &'static str, level: Level, coverage: Coverage) -> Self {
        Self { package_type, brand, level, coverage }
    }

    /// Whether the product belongs to the `DNSPod` series.
    #[must_use]
    pub fn is_dnspod(self) -> bool {
        self.brand == DNSPOD
    }

    /// Whether it is free, and so waits for information in status 13, not 5.
    #[must_use]
    pub fn is_free(self) -> bool {
        matches!(self.package_type, 2 | 83)
    }

    /// Whether the authority checks nothing but the domain.
    #[must_use]
    pub fn is_dv(self) -> bool {
        self.level == Level::Dv
    }

    /// Whether its keys and signatures are those of the Chinese algorithms: the SM2 products of the price list.
    #[must_use]
    pub fn is_sm2(self) -> bool {
        matches!(self.package_type, 33..=35 | 37..=41 | 51..=56)
    }

    /// Whether wildcards belong to the product.
    #[must_use]
    pub fn is_wildcard(self) -> bool {
        matches!(self.coverage, Coverage::Wildcard | Coverage::MultiWildcard)
    }

    /// The name that people see.
    ///
    /// Inferred: the wording; the API documents the field, not its values.
    #[must_use]
    pub fn name(self) -> String {
        let level = match self.level {
            Level::Dv => "DV",
            Level::Ov => "OV",
            Level::Ev => "EV",
        };
        let coverage = match self.coverage {
            Coverage::Single => "",
            Coverage::Multi => " (multi-domain)",
            Coverage::Wildcard => " (wildcard)",
            Coverage::MultiWildcard => " (multi-wildcard)",
        };
        format!("{} {level} SSL certificate{coverage}", self.brand)
    }
}

const DNSPOD: &str = "DNSPod";
