//! Certificate signing requests: what was accepted is accepted again.

use certorder::core::certificate::Csr;
use certorder::core::names::Names;

use super::pem;

/// Reads a request.
pub(crate) fn check(data: &[u8]) {
    let Ok(csr) = Csr::parse(&pem::text(data, "CERTIFICATE REQUEST")) else { return };
    assert_eq!(Csr::parse(csr.pem()).as_ref(), Ok(&csr), "read again");
    assert!(csr.request_info().len() < csr.der().len());
    if let Some((first, rest)) = csr.dns_names().split_first()
        && let Ok(names) = Names::parse(first, rest)
    {
        let _ = csr.check_names(&names);
    }
}
