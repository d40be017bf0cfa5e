//! Distinguished names of X.509, whatever string type their texts have.

use unicode_normalization::UnicodeNormalization as _;
use x509_parser::der_parser::asn1_rs::{Any, Tag};
use x509_parser::x509::{AttributeTypeAndValue, RelativeDistinguishedName, X509Name};

use crate::core::text::shown;

/// The longest name that a message repeats, in bytes.
const LONGEST_NAME: usize = 200;

/// A name in the form in which RFC 5280, section 7.1, compares it: two spellings of one name are equal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comparable(Vec<Vec<(String, Value)>>);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Value {
    Text(String),
    /// No text, so compared as it is.
    Bytes(Vec<u8>),
}

impl From<&X509Name<'_>> for Comparable {
    fn from(name: &X509Name<'_>) -> Self {
        let attributes = |part: &RelativeDistinguishedName<'_>| {
            let mut attributes: Vec<_> = part.iter().map(comparable).collect();
            // The attributes of one part are a set.
            attributes.sort();
            attributes
        };
        Self(name.iter_rdn().map(attributes).collect())
    }
}

fn comparable(attribute: &AttributeTypeAndValue<'_>) -> (String, Value) {
    let value = attribute.attr_value();
    let value =
        text(value).map_or_else(|| Value::Bytes(value.data.to_vec()), |text| Value::Text(fold(&text)));
    (attribute.attr_type().to_id_string(), value)
}

/// Without what the comparison passes over: case, white space at the ends, and how much there is of it elsewhere.
fn fold(text: &str) -> String {
    let text: String = text.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text of a string of any type; `None` where it is none, or does not hold what its type says.
#[must_use]
pub fn text(value: &Any<'_>) -> Option<String> {
    let bytes = value.data;
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
            std::str::from_utf8(bytes).ok().map(str::to_owned)
        }
        // Nobody writes T.61; those who use the type mean ISO 8859-1, as OpenSSL reads it.
        Tag::T61String => Some(bytes.iter().copied().map(char::from).collect()),
        Tag::BmpString => {
            let (units, rest) = bytes.as_chunks::<2>();
            let units: Vec<u16> = units.iter().copied().map(u16::from_be_bytes).collect();
            rest.is_empty().then(|| String::from_utf16(&units).ok()).flatten()
        }
        Tag::UniversalString => {
            let (units, rest) = bytes.as_chunks::<4>();
            let text: Option<String> =
                units.iter().copied().map(|unit| char::from_u32(u32::from_be_bytes(unit))).collect();
            text.filter(|_| rest.is_empty())
        }
        _ => None,
    }
}

/// The common names of a name; one that is no text is `None`.
pub fn common_names(name: &X509Name<'_>) -> impl Iterator<Item = Option<String>> {
    name.iter_common_name().map(|attribute| text(attribute.attr_value()))
}

/// A name for people: one line, cut where it is too long.
#[must_use]
pub fn printable(name: &X509Name<'_>) -> String {
    one_line(&name.to_string())
}

/// A text of a name for people.
#[must_use]
pub fn one_line(text: &str) -> String {
    shown(text, LONGEST_NAME)
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::FromDer;
    use yasna::models::ObjectIdentifier;
    use yasna::tags::{
        TAG_BMPSTRING, TAG_IA5STRING, TAG_OCTETSTRING, TAG_PRINTABLESTRING, TAG_UNIVERSALSTRING,
        TAG_UTF8STRING,
    };

    use super::*;

    const TAG_T61STRING: yasna::Tag = yasna::Tag { tag_class: yasna::TagClass::Universal, tag_number: 20 };
    const COMMON_NAME: &[u64] = &[2, 5, 4, 3];
    const ORGANIZATION: &[u64] = &[2, 5, 4, 10];

    type Attribute<'a> = (&'a [u64], yasna::Tag, &'a [u8]);

    /// A name of these parts.
    fn name(parts: &[&[Attribute<'_>]]) -> Vec<u8> {
        yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                for part in parts {
                    writer.next().write_set(|writer| {
                        for (type_, tag, bytes) in *part {
                            writer.next().write_sequence(|writer| {
                                writer.next().write_oid(&ObjectIdentifier::from_slice(type_));
                                writer.next().write_tagged_implicit(*tag, |writer| writer.write_bytes(bytes));
                            });
                        }
                    });
                }
            });
        })
    }

    fn comparable(der: &[u8]) -> Comparable {
        Comparable::from(&X509Name::from_der(der).unwrap().1)
    }

    fn cn(tag: yasna::Tag, bytes: &[u8]) -> Vec<u8> {
        name(&[&[(COMMON_NAME, tag, bytes)]])
    }

    fn wide(text: &str) -> Vec<u8> {
        text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect()
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_be_bytes).collect()
    }

    #[test]
    fn a_name_is_the_same_in_every_string_type_and_spelling() {
        let plain = cn(TAG_PRINTABLESTRING, b"Issuing CA 1");
        let same = [
            cn(TAG_UTF8STRING, b"Issuing CA 1"),
            cn(TAG_IA5STRING, b"Issuing CA 1"),
            cn(TAG_T61STRING, b"Issuing CA 1"),
            cn(TAG_BMPSTRING, &utf16("Issuing CA 1")),
            cn(TAG_UNIVERSALSTRING, &wide("Issuing CA 1")),
            cn(TAG_UTF8STRING, b"  issuing   ca\t1 "),
            cn(TAG_UTF8STRING, "ISSUING\u{a0}CA \u{ff11}".as_bytes()),
        ];
        for other in &same {
            assert_eq!(comparable(other), comparable(&plain), "{other:02x?}");
        }
        let others = [
            cn(TAG_UTF8STRING, b"Issuing CA 2"),
            cn(TAG_UTF8STRING, b"IssuingCA 1"),
            cn(TAG_OCTETSTRING, b"Issuing CA 1"),
            name(&[&[(ORGANIZATION, TAG_PRINTABLESTRING, b"Issuing CA 1")]]),
            name(&[]),
        ];
        for other in &others {
            assert_ne!(comparable(other), comparable(&plain), "{other:02x?}");
        }
        assert_eq!(
            comparable(&cn(TAG_T61STRING, b"M\xfcller")),
            comparable(&cn(TAG_UTF8STRING, "MÜLLER".as_bytes()))
        );
    }

    #[test]
    fn parts_have_an_order_and_the_attributes_of_one_part_have_none() {
        let cn: Attribute<'_> = (COMMON_NAME, TAG_UTF8STRING, b"a");
        let o: Attribute<'_> = (ORGANIZATION, TAG_UTF8STRING, b"b");
        assert_eq!(comparable(&name(&[&[cn, o]])), comparable(&name(&[&[o, cn]])));
        assert_ne!(comparable(&name(&[&[cn], &[o]])), comparable(&name(&[&[o], &[cn]])));
        assert_ne!(comparable(&name(&[&[cn], &[o]])), comparable(&name(&[&[cn, o]])));
    }

    #[test]
    fn common_names_of_all_types_are_read_and_broken_ones_are_not_passed_over() {
        let cases: [(yasna::Tag, &[u8], Option<&str>); 11] = [
            (TAG_UTF8STRING, b"*.acme.example", Some("*.acme.example")),
            (TAG_PRINTABLESTRING, b"www", Some("www")),
            (TAG_T61STRING, b"*.acme.example", Some("*.acme.example")),
            (TAG_BMPSTRING, &utf16("www"), Some("www")),
            (TAG_UNIVERSALSTRING, &wide("www"), Some("www")),
            (TAG_UTF8STRING, b"\xff", None),
            (TAG_BMPSTRING, b"\0w\0", None),
            (TAG_BMPSTRING, b"\xd8\0\0w", None),
            (TAG_UNIVERSALSTRING, b"\0\0\0", None),
            (TAG_UNIVERSALSTRING, b"\0\x11\0\0", None),
            (TAG_OCTETSTRING, b"www", None),
        ];
        for (tag, bytes, expected) in cases {
            let der = name(&[&[(ORGANIZATION, TAG_UTF8STRING, b"o")], &[(COMMON_NAME, tag, bytes)]]);
            let (_, name) = X509Name::from_der(&der).unwrap();
            let names: Vec<_> = common_names(&name).collect();
            assert_eq!(names, [expected.map(str::to_owned)], "{bytes:?}");
        }
    }
}
