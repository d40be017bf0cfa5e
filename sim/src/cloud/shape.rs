//! How a cloud hands over what the authority delivered.

/// Which CA certificates come with a leaf, and how the text is written.
///
/// Inferred: the documents say that it is PEM, and nothing of what it holds besides the leaf, its sequence or its line
/// ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// The leaf, then the intermediate.
    #[default]
    Usual,
    /// The root comes last.
    WithRoot,
    /// The same, the root first.
    UpsideDown,
    /// The same, all of it twice.
    Repeated,
    /// The usual with CRLF at line ends.
    CarriageReturns,
    /// The usual with nothing between one block and the next.
    RunTogether,
    /// The leaf writes its issuer's name with another string type than the intermediate does.
    OtherStringType,
    /// The root is certified by an older root, and this certificate comes last.
    CrossSigned,
    /// The same, and both roots come too.
    CrossSignedWithRoots,
    /// There is another intermediate above the first.
    TwoIntermediates,
    /// Where the whole should be is the leaf alone; the rest stands beside it.
    Apart,
    /// There is the leaf, and nothing else anywhere.
    LeafAlone,
}

impl Shape {
    /// All shapes.
    pub const ALL: [Self; 12] = [
        Self::Usual,
        Self::WithRoot,
        Self::UpsideDown,
        Self::Repeated,
        Self::CarriageReturns,
        Self::RunTogether,
        Self::OtherStringType,
        Self::CrossSigned,
        Self::CrossSignedWithRoots,
        Self::TwoIntermediates,
        Self::Apart,
        Self::LeafAlone,
    ];

    /// Certificates as one text, the leaf first where this does not turn them.
    pub(super) fn write(self, certificates: &[&str]) -> String {
        let lines = |pem: &&str| format!("{}\n", pem.trim_end());
        match self {
            Self::UpsideDown => certificates.iter().rev().map(lines).collect(),
            Self::Repeated => certificates.repeat(2).iter().map(lines).collect(),
            Self::CarriageReturns => certificates.iter().map(lines).collect::<String>().replace('\n', "\r\n"),
            Self::RunTogether => certificates.iter().map(|pem| pem.trim_end()).collect(),
            _ => certificates.iter().map(lines).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use x509_parser::{certificate::X509Certificate, prelude::FromDer};

    use super::*;
    use crate::cloud::{
        ca::{Authority, KeyKind},
        issue::{KeySource, Wanted},
    };

    /// The common names in a text, and whether each certificate is signed by the next.
    fn read(text: &str) -> (Vec<String>, bool) {
        let all: Vec<_> =
            ::pem::parse_many(text).unwrap().into_iter().map(::pem::Pem::into_contents).collect();
        let all: Vec<_> = all.iter().map(|der| X509Certificate::from_der(der).unwrap().1).collect();
        let name = |of: &X509Certificate<'_>| {
            let name = of.subject().iter_common_name().next().unwrap().as_str().unwrap();
            name.trim_start_matches("Simulated ").to_owned()
        };
        let is_chain = all.windows(2).all(|two| two[0].verify_signature(Some(two[1].public_key())).is_ok());
        (all.iter().map(name).collect(), is_chain)
    }

    #[test]
    fn each_shape_is_what_it_says() {
        let authority = Authority::new().unwrap();
        let names = ["www.acme.example"];
        for shape in Shape::ALL {
            let key = KeySource::Made(KeyKind::P256);
            let ends = Timestamp::MAX;
            let issued = authority.issue(
                &Wanted { names: &names, organization: None, key, shape, ends },
                Timestamp::UNIX_EPOCH,
            );
            let issued = issued.unwrap();
            let expected: &[&str] = match shape {
                Shape::WithRoot | Shape::CrossSigned => &["TLS CA", "Root CA"],
                Shape::UpsideDown => &["Root CA", "TLS CA"],
                Shape::Repeated => &["TLS CA", "Root CA", "TLS CA", "Root CA"],
                Shape::CrossSignedWithRoots => &["TLS CA", "Root CA", "Root CA", "Older Root CA"],
                Shape::TwoIntermediates => &["Issuing CA", "Policy CA"],
                Shape::LeafAlone => &[],
                _ => &["TLS CA"],
            };
            assert_eq!(read(&issued.rest()).0, expected, "{shape:?}");
            let (all, is_chain) = read(&issued.chain());
            let times = if shape == Shape::Repeated { 2 } else { 1 };
            assert_eq!(all.iter().filter(|name| **name == names[0]).count(), times, "{shape:?}");
            assert_eq!(all.len(), expected.len() + times, "{shape:?}");
            assert!(is_chain || matches!(shape, Shape::UpsideDown | Shape::Repeated), "{shape:?}");
            assert_eq!(read(&issued.entire()).0.len() == all.len(), shape != Shape::Apart, "{shape:?}");
            assert_eq!(issued.chain().contains("\r\n"), shape == Shape::CarriageReturns, "{shape:?}");
            assert_eq!(issued.chain().contains("----------"), shape == Shape::RunTogether, "{shape:?}");
        }
        let issued = authority.issue(
            &Wanted {
                names: &names,
                organization: None,
                key: KeySource::Made(KeyKind::P256),
                shape: Shape::OtherStringType,
                ends: Timestamp::MAX,
            },
            Timestamp::UNIX_EPOCH,
        );
        let issued = issued.unwrap();
        let pems = [&issued.leaf, &issued.authorities[0]].map(|pem| ::pem::parse(pem).unwrap());
        let [leaf, above] = pems.each_ref().map(|pem| X509Certificate::from_der(pem.contents()).unwrap().1);
        assert_ne!(leaf.issuer().as_raw(), above.subject().as_raw());
        assert_eq!(leaf.issuer().to_string(), above.subject().to_string());
    }
}
