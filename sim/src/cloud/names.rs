//! The format of domain names.

/// Inferred: the format is that of host names (RFC 1123), with `*` as the whole first label at most.
pub(crate) fn is_domain(name: &str) -> bool {
    let host = name.strip_prefix("*.").unwrap_or(name);
    let labels: Vec<&str> = host.split('.').collect();
    let numeric_end = labels.last().is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    name.len() <= 253 && labels.len() >= 2 && !numeric_end && labels.iter().all(|label| is_label(label))
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
