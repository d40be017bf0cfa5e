//! Certificates and their chains: a chain that was read is in order, whatever the bundle was.

use certorder::core::chain::Chain;
use certorder::core::names::Names;

use super::pem;

/// The most certificates that a bundle may have.
const MOST: usize = 16;
/// An error names at most three subjects, of 200 bytes each.
const LONGEST_ERROR: usize = 1024;

/// Reads a bundle.
pub(crate) fn check(data: &[u8]) {
    match Chain::parse(&pem::text(data, "CERTIFICATE")) {
        Ok(chain) => check_chain(&chain),
        Err(error) => {
            let text = error.to_string();
            assert!(text.len() <= LONGEST_ERROR && !text.contains(char::is_control), "{text:?}");
        }
    }
}

fn check_chain(chain: &Chain) {
    assert!((1..=MOST).contains(&chain.ders().len()));
    assert!(!chain.leaf_subject().contains(char::is_control));
    let whole = chain.pem() + &chain.root_pem().unwrap_or_default();
    assert_eq!(Chain::parse(&whole).as_ref(), Ok(chain), "read again");
    let names = chain.leaf_names();
    if let Some((first, rest)) = names.split_first()
        && let Ok(names) = Names::parse(first, rest)
    {
        assert_eq!(chain.covers(&names), Ok(()), "a certificate covers its own names");
    }
}
