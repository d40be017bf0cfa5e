//! The private key of an order, and the formats it is handed over in.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::references::SecretKeySelector;

/// The key that the certificate is for.
// No schema defaults in here: a size filled in beside `algorithm: ECDSA` would be wrong, and a defaulted block
// would forbid an own CSR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "!has(self.size) || (has(self.algorithm) && self.algorithm == 'ECDSA' \
     ? self.size in [256, 384] : self.size in [2048, 3072, 4096])")
    .message("an RSA key has 2048, 3072 or 4096 bits, an ECDSA key 256 or 384"))]
pub struct PrivateKey {
    /// Who makes the key. `InCluster` (default): the controller makes key and CSR, and the key never leaves the
    /// cluster. Cloud: the cloud does both (`GenCsrType: online` at Tencent; no `csr` at Huawei) and hands the
    /// key over with the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<KeySource>,

    /// Algorithm of the key: RSA (default) or ECDSA. With source Cloud it becomes `CsrEncryptAlgo` (RSA, ECC) at
    /// Tencent and the first half of `key_algorithm` (`RSA_2048`, `EC_P256`) at Huawei.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<KeyAlgorithm>,

    /// Size of the key in bits: RSA 2048 (default), 3072 or 4096; ECDSA 256 (default) or 384, on the NIST curve
    /// of that size. With source Cloud it becomes `CsrKeyParameter` at Tencent, which makes RSA 2048 and 4096 and
    /// ECDSA 256 only, and the second half of `key_algorithm` at Huawei.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 256, max = 4096))]
    pub size: Option<i32>,
}

impl PrivateKey {
    /// Who makes the key, with the default filled in.
    #[must_use]
    pub fn source(&self) -> KeySource {
        self.source.unwrap_or_default()
    }

    /// The algorithm, with the default filled in.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm.unwrap_or_default()
    }

    /// The size in bits, with the default of the algorithm filled in.
    #[must_use]
    pub fn size(&self) -> i32 {
        self.size.unwrap_or(match self.algorithm() {
            KeyAlgorithm::RSA => 2048,
            KeyAlgorithm::ECDSA => 256,
        })
    }
}

/// Who makes the private key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum KeySource {
    /// The controller; the key never leaves the cluster.
    #[default]
    InCluster,
    /// The cloud; it keeps a copy.
    Cloud,
}

/// Algorithm of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum KeyAlgorithm {
    /// RSA.
    #[default]
    RSA,
    /// ECDSA on a NIST curve.
    ECDSA,
}

/// Further formats of key and certificate, as entries of the TLS Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Keystores {
    /// Write a PKCS#12 file as `keystore.p12`, with the name `certificate` for key and certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pkcs12: Option<Pkcs12>,

    /// Write a Java keystore as `keystore.jks`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jks: Option<Jks>,
}

/// A PKCS#12 file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pkcs12 {
    /// Password of the file, of 1 to 1024 printable ASCII characters: with others Java 21 and older cannot open it, and
    /// say that the password was incorrect. One line end at the end of the entry is not part of it; a byte order mark, another
    /// line break or a control character is refused. It stays in the cluster, but whoever gets the file can try out what it
    /// is, so the Secret must carry the label `certorder.dev/readable: "true"`.
    pub password_secret_ref: SecretKeySelector,
}

/// A Java keystore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Jks {
    /// Password of the keystore and of its entry, of 1 to 1024 bytes in any script. One line end at the end of the entry
    /// of the Secret is not part of it; a byte order mark, another line break or a control character is refused. It stays
    /// in the cluster, but whoever gets the keystore can try out what it is, so the Secret must carry the label
    /// `certorder.dev/readable: "true"`.
    pub password_secret_ref: SecretKeySelector,

    /// Alias of the entry, in printable ASCII. Default: `certificate`. It is written in lower case, as Java does: Java
    /// ignores the case of an alias.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[ -~]*$')")
        .message("an alias has printable ASCII characters only: letters, digits, blanks and signs"))]
    pub alias: Option<String>,
}
