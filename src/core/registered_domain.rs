//! The domain that was registered at a registry, by the public suffix list.

/// The registered domain of a DNS name in lower case: `acme.co.uk` of `www.shop.acme.co.uk` and of `*.acme.co.uk`. `None` if the name is
/// itself a suffix under which a registry registers.
///
/// The suffixes that companies register for their customers (`github.io`) do not count: below them nothing is registered, and
/// a CA asks the company's domain.
#[must_use]
pub fn registered_domain(name: &str) -> Option<&str> {
    let name = name.strip_prefix("*.").unwrap_or(name);
    let mut suffix = psl::suffix(name.as_bytes())?;
    while suffix.typ() == Some(psl::Type::Private) {
        let (_, parent) = std::str::from_utf8(suffix.as_bytes()).ok()?.split_once('.')?;
        suffix = psl::suffix(parent.as_bytes())?;
    }
    let before = name.len().checked_sub(suffix.as_bytes().len().checked_add(1)?)?;
    let label = name.get(..before)?.rfind('.').map_or(0, |dot| dot.saturating_add(1));
    name.get(label..).filter(|_| before > label)
}

#[cfg(test)]
mod tests {
    use super::registered_domain;

    #[test]
    fn it_is_one_label_below_a_suffix_of_a_registry() {
        let domains = [
            ("acme.com", Some("acme.com")),
            ("www.shop.acme.com", Some("acme.com")),
            ("*.acme.com", Some("acme.com")),
            ("www.acme.com.cn", Some("acme.com.cn")),
            ("acme.co.uk", Some("acme.co.uk")),
            ("www.xn--85x722f.xn--55qx5d.cn", Some("xn--85x722f.xn--55qx5d.cn")),
            ("www.acme.example", Some("acme.example")),
            // A company's suffix is a domain like others.
            ("pages.github.io", Some("github.io")),
            ("github.io", Some("github.io")),
            ("bucket.s3.eu-west-1.amazonaws.com", Some("amazonaws.com")),
            ("com", None),
            ("com.cn", None),
            ("*.com.cn", None),
            ("example", None),
            ("", None),
            (".com", None),
        ];
        for (name, domain) in domains {
            assert_eq!(registered_domain(name), domain, "{name}");
        }
    }
}
