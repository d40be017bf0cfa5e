//! Writes a keystore in one of its formats.

use crate::core::keystore::content::{Format, Keystore, KeystoreError};
use crate::core::keystore::{jks, pkcs12};

impl Keystore<'_> {
    /// Writes the file.
    pub fn write(&self, format: Format) -> Result<Vec<u8>, KeystoreError> {
        match format {
            Format::Pkcs12 => Ok(pkcs12::write(self)?),
            Format::Jks => Ok(jks::write(self)),
        }
    }
}
