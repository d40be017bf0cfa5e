//! The definitions as a whole: names, columns, selectable fields, size, and the generated files.

use std::path::Path;

use serde_json::{Value, json};

use crate::api::crds::{crds, crds_yaml, file_name, yaml};

fn definition(kind: &str) -> Value {
    let crds = serde_json::to_value(crds()).unwrap();
    crds.as_array().unwrap().iter().find(|crd| crd["spec"]["names"]["kind"] == kind).unwrap().clone()
}

fn strings(list: &Value, key: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|entry| entry[key].as_str().unwrap().to_owned()).collect()
}

#[test]
fn generated_files_are_fresh() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    for crd in crds() {
        let file = directory.join(file_name(&crd));
        let stored = std::fs::read_to_string(&file).unwrap_or_default();
        let fresh = stored == yaml(&crd).unwrap();
        assert!(fresh, "{} is stale; refresh it with: cargo run -- crds --write crds", file.display());
    }
}

#[test]
fn the_definitions_are_stable_and_small() {
    let stream = crds_yaml().unwrap();
    assert_eq!(stream, crds_yaml().unwrap());
    assert_eq!(stream.matches("---\n").count(), 2);
    for crd in crds() {
        // `kubectl apply` notes what it applied in an annotation, and all of those have 256 KiB.
        assert!(yaml(&crd).unwrap().len() < 100_000, "{}", file_name(&crd));
    }
}

#[test]
fn kinds_are_found_under_their_short_names() {
    for (kind, short) in [("CertificateOrder", "certorder"), ("OrganizationProfile", "orgprof")] {
        let spec = &definition(kind)["spec"];
        assert_eq!(spec["scope"], "Namespaced");
        assert_eq!(spec["names"]["shortNames"], json!([short]));
        // A category that equals a short name breaks `kubectl get NAME`.
        assert_eq!(spec["names"]["categories"], json!(["certorders"]));
        assert_eq!(spec["versions"][0]["name"], "v1alpha1");
        assert_eq!(spec["versions"][0]["subresources"]["status"], json!({}));
    }
}

#[test]
fn columns_are_the_same_ones_in_every_release() {
    let columns =
        |kind: &str| strings(&definition(kind)["spec"]["versions"][0]["additionalPrinterColumns"], "name");
    assert_eq!(
        columns("CertificateOrder"),
        [
            "Ready",
            "Phase",
            "Provider",
            "Certificate",
            "Expires",
            "Renews",
            "Age", // and with -o wide:
            "Reason",
            "Common-Name",
            "Order",
            "Request",
            "Secret",
        ]
    );
    assert_eq!(
        columns("OrganizationProfile"),
        ["Ready", "Resolved", "Approved", "Company", "Manager", "Age"]
    );
}

#[test]
fn orders_can_be_selected_by_what_they_refer_to() {
    assert_eq!(
        strings(&definition("CertificateOrder")["spec"]["versions"][0]["selectableFields"], "jsonPath"),
        [
            ".spec.credentialsRef.name",
            ".spec.organizationProfileRef.name",
            ".spec.provider.tencentCloud.certificateId",
            ".spec.provider.huaweiCloud.certificateId",
        ]
    );
}
