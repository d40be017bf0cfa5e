//! The format of domain names.

/// Inferred: the format is that of host names (RFC 1123), with `*` as the whole first label at most.
pub(crate) fn is_domain(name: &str) -> bool {
    let host = name.strip_prefix("*.").unwrap_or(name);
    let labels: Vec<&str> = host.split('.').collect();
    let numeric_end = labels.last().is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    name.len() <= 253 && labels.len() >= 2 && !numeric_end && labels.iter().all(|label| is_label(label))
}

/// Suffixes of more than one label under which names are registered; the simulators need no others.
const SUFFIXES: [&str; 7] = ["com.cn", "net.cn", "org.cn", "gov.cn", "edu.cn", "co.uk", "com.hk"];

/// The registered domain of a name without a wildcard, and what stands before it.
///
/// Inferred: it is taken to be the last two labels, or three where the suffix is one of a few.
pub(crate) fn split_registered(host: &str) -> (&str, &str) {
    let is_suffix = |suffix: &&str| host.ends_with(&format!(".{suffix}"));
    let dots = if SUFFIXES.iter().any(is_suffix) { 2 } else { 1 };
    let start = host.rmatch_indices('.').nth(dots).map_or(0, |(dot, _)| dot + 1);
    host.split_at_checked(start).unwrap_or(("", host))
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Whether a text has the shape of a mail address.
pub(crate) fn is_mail_address(address: &str) -> bool {
    let (local, domain) = address.split_once('@').unwrap_or_default();
    !local.is_empty() && domain.contains('.') && !address.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registered_domain_is_the_label_before_the_suffix() {
        for (host, expected) in [
            ("www.acme.example", ("www.", "acme.example")),
            ("a.b.acme.example", ("a.b.", "acme.example")),
            ("acme.example", ("", "acme.example")),
            ("www.acme.com.cn", ("www.", "acme.com.cn")),
            ("acme.com.cn", ("", "acme.com.cn")),
        ] {
            assert_eq!(split_registered(host), expected, "{host}");
        }
    }
}
