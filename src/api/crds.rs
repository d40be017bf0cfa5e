//! The definitions of both kinds (CRDs) as YAML.

use std::path::Path;
use std::{fs, io};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

use crate::api::v1alpha1::{CertificateOrder, OrganizationProfile};

/// The definitions of both kinds, ready to be applied to a cluster.
#[must_use]
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![CertificateOrder::crd(), OrganizationProfile::crd()]
}

/// The definitions as one YAML stream, a document each.
pub fn crds_yaml() -> Result<String, serde_saphyr::ser::Error> {
    crds().iter().map(|crd| Ok(format!("---\n{}", yaml(crd)?))).collect()
}

/// Writes each definition into a file of its own, named after its group and plural name.
pub fn write_crds(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for crd in crds() {
        fs::write(directory.join(file_name(&crd)), yaml(&crd).map_err(io::Error::other)?)?;
    }
    Ok(())
}

pub(super) fn file_name(crd: &CustomResourceDefinition) -> String {
    format!("{}_{}.yaml", crd.spec.group, crd.spec.names.plural)
}

pub(super) fn yaml(crd: &CustomResourceDefinition) -> Result<String, serde_saphyr::ser::Error> {
    serde_saphyr::to_string(crd)
}
