//! The bought product, how much its CA checks, and with which algorithms.

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

/// The algorithms of the keys and signatures of a product's certificates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithms {
    /// RSA or ECDSA; the application says which.
    International,
    /// The Chinese ones: SM2, with SM3 as the hash.
    Sm2,
}

impl Algorithms {
    /// The algorithms that a word of a cloud or of a user names, in the name of a product or of an algorithm:
    /// `DNSPod SM2 DV`, `SM3withSM2`, `SHA256withRSA`.
    #[must_use]
    pub fn named_in(words: &str) -> Option<Self> {
        let words = words.to_ascii_uppercase();
        let names = |of: &[&str]| of.iter().any(|name| words.contains(name));
        // "国密" is what Chinese texts call them.
        if names(&["SM2", "SM3", "国密"]) {
            return Some(Self::Sm2);
        }
        names(&["RSA", "ECC", "ECDSA"]).then_some(Self::International)
    }
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
    /// With which algorithms.
    pub algorithms: Option<Algorithms>,
    /// Whether the review of a saved organisation can be skipped; `None` if that is unknown.
    pub automatic_review: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_are_recognised_by_their_names() {
        let (sm2, international) = (Some(Algorithms::Sm2), Some(Algorithms::International));
        let cases = [
            ("SM2", sm2),
            ("sm3withsm2", sm2),
            ("SM3", sm2),
            ("DNSPod SM2 DV multi-domain", sm2),
            ("WoTrus-国密域名型证书", sm2),
            ("DNSPod（国密）-企业型(OV)SSL证书", sm2),
            ("RSA", international),
            ("SHA256WITHRSA", international),
            ("ecdsa-with-SHA384", international),
            ("ECC", international),
            ("SecureSite OV", None),
            ("CFCA OV_SSL_CERT", None),
            ("DEFAULT", None),
            ("SHA-256", None),
            ("SM4", None),
            ("", None),
        ];
        for (words, named) in cases {
            assert_eq!(Algorithms::named_in(words), named, "{words}");
        }
    }
}
