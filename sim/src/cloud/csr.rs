//! Reading a certificate signing request.

use x509_parser::{certification_request::X509CertificationRequest, prelude::FromDer};

/// What the service reads from a PKCS#10 request.
pub(crate) struct Csr {
    /// The common name of its subject, if it has one.
    pub(crate) common_name: Option<String>,
    /// Its public key: `SubjectPublicKeyInfo`, DER.
    pub(crate) public_key: Vec<u8>,
}

impl Csr {
    /// Reads PEM; the error says what is wrong with it.
    pub(crate) fn parse(pem: &str) -> Result<Self, &'static str> {
        let pem = pem::parse(pem.trim()).map_err(|_| "The CSR is not PEM.")?;
        if !matches!(pem.tag(), "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST") {
            return Err("The PEM block is not a certificate request.");
        }
        let (rest, request) =
            X509CertificationRequest::from_der(pem.contents()).map_err(|_| "The CSR cannot be parsed.")?;
        if !rest.is_empty() {
            return Err("The CSR has bytes after its end.");
        }
        request.verify_signature().map_err(|_| "The signature of the CSR is not that of its key.")?;
        let info = &request.certification_request_info;
        let common_name = info.subject.iter_common_name().next().and_then(|name| name.as_str().ok());
        Ok(Self { common_name: common_name.map(str::to_owned), public_key: info.subject_pki.raw.to_vec() })
    }
}
