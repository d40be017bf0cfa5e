//! Which proofs of control external-dns can publish, in the form that it takes. Pure.
//!
//! Only TXT and CNAME records at or below a name of the order: a policy of the cluster judges the names of orders, and
//! nobody proves control of another name by a record beside them.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::names::Names;
use crate::core::observation::ValidationRecord;

/// The longest name in DNS, in bytes.
const LONGEST_NAME: usize = 253;

/// The longest part of a TXT value, in bytes. A longer value would have to be divided, which DNS services do differently.
const LONGEST_TXT: usize = 255;

/// What the TXT records begin with by which external-dns knows its own: it would take such a value for one of them.
const OF_EXTERNAL_DNS: &str = "heritage=";

/// The types of records that are written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, strum::Display, strum::IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE")]
pub enum RecordType {
    /// Text.
    Txt,
    /// Another name. A name has at most one.
    Cname,
}

/// The values of one name and type: one entry of a `DNSEndpoint`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Endpoint {
    /// The name, in lower case and without a dot at its end.
    pub name: String,
    /// The type.
    pub type_: RecordType,
    /// The values: of TXT without quotes, of CNAME without a dot at the end.
    pub targets: BTreeSet<String>,
}

/// A record that stays in the status alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeftOut {
    /// The record.
    pub record: ValidationRecord,
    /// Why, as the end of a sentence about it.
    pub why: &'static str,
}

/// What is written of the records, and what is not.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Selection {
    /// The entries, sorted.
    pub endpoints: Vec<Endpoint>,
    /// The others.
    pub left_out: Vec<LeftOut>,
}

/// Selects what is written of the records of an order with these names.
#[must_use]
pub fn select(records: &[ValidationRecord], names: &Names) -> Selection {
    let mut values: BTreeMap<(String, RecordType), BTreeSet<String>> = BTreeMap::new();
    let mut left_out = Vec::new();
    for record in records {
        let added = entry(record, names).and_then(|(name, type_, target)| {
            let targets = values.entry((name, type_)).or_default();
            if type_ == RecordType::Cname && !targets.is_empty() && !targets.contains(&target) {
                return Err("its name has another CNAME already");
            }
            targets.insert(target);
            Ok(())
        });
        if let Err(why) = added {
            left_out.push(LeftOut { record: record.clone(), why });
        }
    }
    let endpoints =
        values.into_iter().map(|((name, type_), targets)| Endpoint { name, type_, targets }).collect();
    Selection { endpoints, left_out }
}

/// Name, type and value of a record, in the form that is written.
fn entry(record: &ValidationRecord, names: &Names) -> Result<(String, RecordType, String), &'static str> {
    let type_ = match record.type_.to_ascii_uppercase().as_str() {
        "TXT" => RecordType::Txt,
        "CNAME" => RecordType::Cname,
        _ => return Err("it is neither TXT nor CNAME"),
    };
    let name = host(&record.name).ok_or("its name is none that DNS has")?;
    match place(&name, names) {
        None => return Err("it is not at or below a name of this order"),
        // It would take the place of the addresses of the site.
        Some(Place::At) if type_ == RecordType::Cname => {
            return Err("a CNAME at a name of this order would take the place of what the name leads to");
        }
        Some(_) => {}
    }
    let target = match type_ {
        RecordType::Cname => host(&record.value).ok_or("its value is no name that DNS has")?,
        RecordType::Txt => text(&record.value)?,
    };
    Ok((name, type_, target))
}

/// Where a record is.
enum Place {
    At,
    Below,
}

/// Where a record is relative to the names of the order; `None` if it is elsewhere. A wildcard is proven at the name
/// below its asterisk.
fn place(record: &str, names: &Names) -> Option<Place> {
    let mut found = None;
    for name in names.all() {
        let name = name.strip_prefix("*.").unwrap_or(name);
        if record == name {
            return Some(Place::At);
        }
        if record.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')) {
            found = Some(Place::Below);
        }
    }
    found
}

/// A name as it is written: in lower case, and without the dot at its end, which external-dns refused in a CNAME until
/// its version 0.21.
#[must_use]
pub fn host(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    (name.len() <= LONGEST_NAME && name.contains('.') && name.split('.').all(is_label)).then_some(name)
}

/// A TXT value as it is written: without the quotes of a zone file.
fn text(value: &str) -> Result<String, &'static str> {
    let value = unquoted(value);
    if value.is_empty() || value.len() > LONGEST_TXT {
        Err("its value is empty, or longer than 255 bytes")
    } else if value.contains(['"', '\\']) || !value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
        Err("its value has characters that DNS services write differently")
    } else if value.starts_with(OF_EXTERNAL_DNS) {
        Err("external-dns would take its value for a record of its own")
    } else {
        Ok(value.to_owned())
    }
}

/// A text without one pair of quotes around it.
#[must_use]
pub fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(type_: &str, name: &str, value: &str) -> ValidationRecord {
        let [domain, type_, name, value] = ["acme.example", type_, name, value].map(str::to_owned);
        ValidationRecord { domain, type_, name, value }
    }

    fn names(all: &[&str]) -> Names {
        let (first, others) = all.split_first().unwrap();
        Names::parse(first, &others.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    /// What is written of one record of an order for these names, or why it is not.
    fn one(type_: &str, name: &str, value: &str, of: &[&str]) -> Result<String, &'static str> {
        let mut selection = select(&[record(type_, name, value)], &names(of));
        match (selection.endpoints.pop(), selection.left_out.pop()) {
            (Some(Endpoint { name, type_, targets }), None) => {
                Ok(format!("{name} {type_} {}", targets.into_iter().collect::<Vec<_>>().join(" | ")))
            }
            (None, Some(left)) => Err(left.why),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn records_are_written_in_the_form_that_external_dns_takes() {
        let www = &["www.acme.example"][..];
        let table = [
            ("TXT", "_dnsauth.www.acme.example", "2026abc=", www, "_dnsauth.www.acme.example TXT 2026abc="),
            ("txt", "_DNSAuth.www.Acme.example.", "\"quoted\"", www, "_dnsauth.www.acme.example TXT quoted"),
            ("TXT", "www.acme.example", "two words", www, "www.acme.example TXT two words"),
            ("TXT", "_dnsauth.www.acme.example", "ends.", www, "_dnsauth.www.acme.example TXT ends."),
            (
                "CNAME",
                "_a1.www.acme.example",
                "_B2.ca.example.",
                www,
                "_a1.www.acme.example CNAME _b2.ca.example",
            ),
            ("TXT", "_dnsauth.acme.example", "v", &["*.acme.example"], "_dnsauth.acme.example TXT v"),
        ];
        for (type_, name, value, of, expected) in table {
            assert_eq!(one(type_, name, value, of), Ok(expected.to_owned()), "{type_} {name} {value}");
        }
    }

    #[test]
    fn what_proves_control_of_another_name_or_is_not_clear_stays_in_the_status() {
        let www = &["www.acme.example"][..];
        let table = [
            ("FILE", "http://www.acme.example/.well-known/x.txt", "v", "neither TXT nor CNAME"),
            ("A", "www.acme.example", "192.0.2.1", "neither TXT nor CNAME"),
            ("TXT", "_dnsauth.acme.example", "v", "not at or below"),
            ("TXT", "_dnsauth.xwww.acme.example", "v", "not at or below"),
            ("TXT", "_dnsauth.bank.example", "v", "not at or below"),
            ("TXT", "example", "v", "none that DNS has"),
            ("TXT", "*.www.acme.example", "v", "none that DNS has"),
            ("TXT", "a..www.acme.example", "v", "none that DNS has"),
            ("CNAME", "www.acme.example", "x.ca.example", "take the place"),
            ("CNAME", "_x.www.acme.example", "not a name", "its value is no name"),
            ("TXT", "_x.www.acme.example", "", "empty"),
            ("TXT", "_x.www.acme.example", "a\"b", "differently"),
            ("TXT", "_x.www.acme.example", "a\\b", "differently"),
            ("TXT", "_x.www.acme.example", "密", "differently"),
            ("TXT", "_x.www.acme.example", "\"heritage=external-dns,external-dns/owner=a\"", "of its own"),
        ];
        for (type_, name, value, why) in table {
            let seen = one(type_, name, value, www).unwrap_err();
            assert!(seen.contains(why), "{type_} {name} {value}: {seen}");
        }
        let long = "v".repeat(256);
        assert!(one("TXT", "_x.www.acme.example", &long, www).unwrap_err().contains("longer"));
    }

    #[test]
    fn values_of_one_name_stand_together_but_a_name_has_one_cname() {
        let records = [
            record("TXT", "_dnsauth.acme.example", "b"),
            record("TXT", "_dnsauth.acme.example", "a"),
            record("TXT", "_DNSAUTH.acme.example.", "\"a\""),
            record("CNAME", "_x.acme.example", "one.ca.example"),
            record("CNAME", "_x.acme.example", "one.ca.example."),
            record("CNAME", "_x.acme.example", "two.ca.example"),
        ];
        let selection = select(&records, &names(&["acme.example", "*.acme.example"]));
        let entry = |name: &str, type_, targets: &[&str]| Endpoint {
            name: name.to_owned(),
            type_,
            targets: targets.iter().map(|&target| target.to_owned()).collect(),
        };
        let expected = [
            entry("_dnsauth.acme.example", RecordType::Txt, &["a", "b"]),
            entry("_x.acme.example", RecordType::Cname, &["one.ca.example"]),
        ];
        assert_eq!(selection.endpoints, expected);
        let [left] = selection.left_out.as_slice() else { panic!("{:?}", selection.left_out) };
        assert_eq!(
            (left.record.value.as_str(), left.why),
            ("two.ca.example", "its name has another CNAME already")
        );
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_written_beside_the_names_of_the_order(
            name in "(_?[a-z*]{1,4}\\.){0,3}(acme|bank|www)\\.example\\.?", value in ".*", type_ in "TXT|CNAME",
        ) {
            let selection = select(&[record(&type_, &name, &value)], &names(&["www.acme.example", "*.shop.example"]));
            for endpoint in selection.endpoints {
                let below = ["www.acme.example", "shop.example"].into_iter().any(|host| {
                    endpoint.name == host || endpoint.name.ends_with(&format!(".{host}"))
                });
                proptest::prop_assert!(below, "{}", endpoint.name);
            }
        }
    }
}
