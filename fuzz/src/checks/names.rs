//! DNS names: what is accepted is a name in its one form, and stays as it is.

use std::collections::BTreeSet;

use certorder::core::names::{DnsName, Names};

/// The longest name (RFC 1035).
const LONGEST: usize = 253;

/// Takes each line for a name, and all of them for those of an order.
pub(crate) fn check(data: &[u8]) {
    let input = String::from_utf8_lossy(data);
    let lines: Vec<String> = input.lines().map(str::to_owned).collect();
    for line in &lines {
        check_name(line);
    }
    let Some((first, rest)) = lines.split_first() else { return };
    if let Ok(names) = Names::parse(first, rest) {
        let all = names.all();
        assert_eq!(all.len(), 1 + names.others().len(), "each name once");
        let lower: Vec<String> = lines.iter().map(|line| line.to_ascii_lowercase()).collect();
        assert_eq!(all, lower.iter().map(String::as_str).collect::<BTreeSet<_>>());
    }
}

fn check_name(text: &str) {
    match DnsName::parse(text) {
        Ok(name) => {
            assert_eq!(name.as_str(), text.to_ascii_lowercase());
            assert!((3..=LONGEST).contains(&name.as_str().len()) && name.as_str().contains('.'));
            assert_eq!(name.is_wildcard(), name.as_str().contains('*'));
            assert_eq!(DnsName::parse(name.as_str()).as_ref(), Ok(&name), "read again");
        }
        // It repeats the text, with escapes of up to ten bytes for a character.
        Err(error) => assert!(error.to_string().len() <= 300 + 10 * LONGEST),
    }
}
