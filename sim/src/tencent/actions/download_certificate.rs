//! `DownloadCertificate`: an issued certificate as a ZIP archive, as the console offers it.

use std::io::{Cursor, Write as _};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use zip::{ZipWriter, result::ZipResult, write::SimpleFileOptions};

use super::action::Action;
use crate::cloud::{
    Answer, Issued,
    params::{Kind, required},
};
use crate::tencent::{error::Refusal, invocation::Invocation};

pub(super) const ACTION: Action =
    Action { name: "DownloadCertificate", params: &[required("CertificateId", Kind::String)], run };

/// Inferred: that only a valid certificate can be downloaded.
fn run(call: &mut Invocation<'_>) -> Result<Answer, Refusal> {
    let certificate = call.certificate("CertificateId")?;
    let issued = certificate.issued.as_ref().filter(|_| certificate.is_valid());
    let issued = issued.ok_or_else(Refusal::wrong_status)?;
    let name = certificate.names().first().copied().unwrap_or_default().replace('*', "_");
    let archive = archive(issued, &name).map_err(|error| Refusal::new("InternalError", error.to_string()))?;
    let content = BASE64_STANDARD.encode(archive);
    Ok(Answer::read(json!({ "Content": content, "ContentType": "application/zip" })))
}

/// Inferred: the folders and the names of the files. The key is there only where the cloud made it.
fn archive(issued: &Issued, name: &str) -> ZipResult<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let (chain, rest) = (issued.chain(), issued.rest());
    let files = [
        (format!("Apache/{name}.crt"), issued.leaf.as_str()),
        ("Apache/root_bundle.crt".to_owned(), rest.as_str()),
        (format!("Nginx/{name}_bundle.crt"), &chain),
        (format!("Nginx/{name}_bundle.pem"), &chain),
    ];
    let folders = ["Apache", "Nginx"];
    let key = issued.private_key_pem();
    let keys = key.into_iter().flat_map(|key| folders.map(|folder| (format!("{folder}/{name}.key"), key)));
    for (path, content) in files.into_iter().chain(keys) {
        archive.start_file(path, SimpleFileOptions::default())?;
        archive.write_all(content.as_bytes())?;
    }
    Ok(archive.finish()?.into_inner())
}
