//! The names a certificate covers.

use std::collections::BTreeSet;
use std::fmt;

/// A DNS name in the only form that both clouds accept: lower-case A-labels, `*` only as the whole first label.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DnsName(String);

/// Why a text is not a [`DnsName`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} is not a DNS name: write lower-case letters, digits and hyphens, at least two labels, a wildcard only \
     as the whole first label, and Unicode names in Punycode (xn--…)"
)]
pub struct NotADnsName(String);

impl DnsName {
    /// Reads a name; upper-case letters are accepted (a CSR may hold them) and lowered.
    pub fn parse(text: &str) -> Result<Self, NotADnsName> {
        let name = text.to_ascii_lowercase();
        let host = name.strip_prefix("*.").unwrap_or(&name);
        let labels_are_valid = host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        });
        if name.len() <= 253 && host.contains('.') && labels_are_valid {
            Ok(Self(name))
        } else {
            Err(NotADnsName(text.chars().take(253).collect()))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is a wildcard name (`*.example.com`).
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The common name and the further names of one certificate, without repetition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Names {
    common_name: DnsName,
    others: Vec<DnsName>,
}

impl Names {
    /// Reads `spec.commonName` and `spec.dnsNames`. Repeated names, including the common name, are dropped: a cloud that
    /// gets the common name twice counts two domains.
    pub fn parse(common_name: &str, dns_names: &[String]) -> Result<Self, NotADnsName> {
        let common_name = DnsName::parse(common_name)?;
        let mut seen = BTreeSet::from([common_name.clone()]);
        let mut others = Vec::new();
        for name in dns_names {
            let name = DnsName::parse(name)?;
            if seen.insert(name.clone()) {
                others.push(name);
            }
        }
        Ok(Self { common_name, others })
    }

    /// The subject's common name, which is also the first name of the certificate.
    #[must_use]
    pub fn common_name(&self) -> &DnsName {
        &self.common_name
    }

    /// The further names, in the user's order.
    #[must_use]
    pub fn others(&self) -> &[DnsName] {
        &self.others
    }

    /// Every name, each once, sorted.
    #[must_use]
    pub fn all(&self) -> BTreeSet<&str> {
        std::iter::once(&self.common_name).chain(&self.others).map(DnsName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_both_clouds_take_are_names() {
        for good in ["www.acme.example", "*.acme.example", "xn--fiqs8s.example", "a.b", "WWW.Acme.example"] {
            assert!(DnsName::parse(good).is_ok(), "{good}");
        }
        let long = format!("{}.example", "a".repeat(64));
        for bad in [
            "",
            "localhost",
            "*.",
            "a.*.b",
            "*a.example",
            "-a.example",
            "a-.example",
            "a..b",
            "中国.example",
            "a.b.",
            &long,
        ] {
            assert!(DnsName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_common_name_is_not_counted_twice() {
        let names = Names::parse(
            "www.a.example",
            &["b.a.example".into(), "WWW.a.example".into(), "b.a.example".into()],
        );
        let names = names.unwrap();
        assert_eq!(names.others().iter().map(DnsName::as_str).collect::<Vec<_>>(), ["b.a.example"]);
        assert_eq!(names.all().into_iter().collect::<Vec<_>>(), ["b.a.example", "www.a.example"]);
    }
}
