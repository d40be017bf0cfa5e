//! The orders: one for each kind of key, of bundle and of keystore.

use std::path::Path;

use certorder_sim::tencent::Product;
use serde_json::{Value, json};

use crate::clouds::Kind;
use crate::fixtures;

/// An order, and what its outputs are to be.
pub(crate) struct Order {
    /// Its name.
    pub(crate) name: String,
    /// The id of what is bought for it.
    pub(crate) certificate: String,
    /// Where it is placed.
    pub(crate) cloud: Kind,
    /// What is bought for it, at Tencent Cloud; at Huawei Cloud it is a certificate for one name.
    pub(crate) product: Product,
    /// The names of the certificate, the common name first.
    pub(crate) names: Vec<String>,
    /// What the spec has besides: where the key comes from.
    pub(crate) spec: Value,
    /// The key of a CSR of the user's own, PEM, for the Secret.
    pub(crate) own_key: Option<String>,
    /// Whether the cloud delivers the root too.
    pub(crate) is_rooted: bool,
    /// The password of each keystore; `None` for an order whose Secret has no key.
    pub(crate) passwords: Option<Passwords>,
    /// The alias in the Java keystore, if it is not the default one.
    pub(crate) alias: Option<&'static str>,
}

/// The passwords of the keystores.
#[derive(Clone, Copy)]
pub(crate) struct Passwords {
    pub(crate) pkcs12: &'static str,
    pub(crate) jks: &'static str,
}

const PLAIN: Passwords = Passwords { pkcs12: "changeit", jks: "changeit" };
/// Java and OpenSSL take them, shells and configuration files need care.
const SIGNS: Passwords = Passwords { pkcs12: r#"p a$s'"<&>\w%0r#d"#, jks: r#"p a$s'"<&>\w%0r#d"# };
/// What only the Java keystore may have.
const CHINESE: Passwords = Passwords { pkcs12: "changeit", jks: "pässword口令" };
/// Shorter than keytool wants them for a new keystore.
const SHORT: Passwords = Passwords { pkcs12: "x", jks: "y" };

/// Those with a key of certorder's or of a cloud's.
pub(crate) fn made() -> Vec<Order> {
    let mut orders = Vec::new();
    let sources = [
        ("cluster", Kind::Tencent, "InCluster", &[2048, 3072, 4096][..], &[256, 384][..]),
        ("tencent", Kind::Tencent, "Cloud", &[2048, 4096], &[256]),
        ("huawei", Kind::Huawei, "Cloud", &[2048, 3072, 4096], &[256, 384]),
    ];
    for (prefix, cloud, source, rsa, ecdsa) in sources {
        for (algorithm, sizes) in [("RSA", rsa), ("ECDSA", ecdsa)] {
            for size in sizes {
                let key = json!({"source": source, "algorithm": algorithm, "size": size});
                let name = format!("{prefix}-{}-{size}", algorithm.to_lowercase());
                orders.push(Order::new(&name, cloud, json!({ "privateKey": key })));
            }
        }
    }
    orders.extend(bundles());
    orders.extend(names());
    orders.extend(keystores());
    // This cloud takes no other ids.
    for (number, order) in (1_590_053_258_700_u64..).zip(&mut orders) {
        if order.cloud == Kind::Huawei {
            order.certificate = format!("scs{number}");
        }
    }
    orders
}

fn bundles() -> [Order; 2] {
    [("rooted-rsa-2048", Kind::Tencent, "RSA"), ("rooted-ecdsa-256", Kind::Huawei, "ECDSA")].map(
        |(name, cloud, algorithm)| {
            let spec = json!({"privateKey": {"algorithm": algorithm}});
            Order { is_rooted: true, ..Order::new(name, cloud, spec) }
        },
    )
}

fn names() -> [Order; 2] {
    let order = |name, product, names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Order { product, names, ..Order::new(name, Kind::Tencent, json!({})) }
    };
    [
        order("wildcard", Product::DV_WILDCARD, &["*.wild.acme.example"]),
        order("several-names", Product::DV_MULTI, &["shop.acme.example", "blog.acme.example"]),
    ]
}

fn keystores() -> [Order; 3] {
    let order = |name, passwords, alias| Order {
        passwords: Some(passwords),
        alias,
        ..Order::new(name, Kind::Tencent, json!({"privateKey": {"algorithm": "ECDSA"}}))
    };
    [
        order("password-signs", SIGNS, Some("Shop Front (2)")),
        order("password-chinese", CHINESE, None),
        order("password-short", SHORT, None),
    ]
}

/// Those with a CSR of the user's own, from a directory.
pub(crate) fn own(directory: &Path) -> Vec<Order> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "csr"));
    files.sort();
    let order = |file: &std::path::PathBuf| {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let mut spec = json!({"csr": std::fs::read_to_string(file).unwrap()});
        let own_key = std::fs::read_to_string(file.with_extension("key")).ok();
        if own_key.is_some() {
            spec["privateKeySecretRef"] = json!({"name": format!("{name}-own"), "key": "own.key"});
        }
        let passwords = own_key.is_some().then_some(PLAIN);
        Order { own_key, passwords, ..Order::new(name, Kind::Tencent, spec) }
    };
    files.iter().map(order).collect()
}

impl Order {
    fn new(name: &str, cloud: Kind, spec: Value) -> Self {
        Self {
            name: name.to_owned(),
            certificate: name.to_owned(),
            cloud,
            product: Product::DV_SINGLE,
            names: vec![format!("{name}.acme.example")],
            spec,
            own_key: None,
            is_rooted: false,
            passwords: Some(PLAIN),
            alias: None,
        }
    }

    /// The Secret with the certificate.
    pub(crate) fn secret(&self) -> String {
        format!("{}-tls", self.name)
    }

    /// The `CertificateOrder`.
    pub(crate) fn manifest(&self) -> Value {
        let (mut order, block) = match self.cloud {
            Kind::Tencent => (fixtures::personal(&self.name), "tencentCloud"),
            Kind::Huawei => (fixtures::huawei(&self.name), "huaweiCloud"),
        };
        let spec = &mut order["spec"];
        spec["provider"][block]["certificateId"] = json!(self.certificate);
        spec["commonName"] = json!(self.names[0]);
        spec["dnsNames"] = json!(self.names[1..]);
        spec["secretName"] = json!(self.secret());
        let spec = spec.as_object_mut().unwrap();
        spec.remove("privateKey");
        spec.extend(self.spec.as_object().unwrap().clone());
        if self.passwords.is_some() {
            let password =
                |key| json!({"passwordSecretRef": {"name": format!("{}-passwords", self.name), "key": key}});
            let (pkcs12, mut jks) = (password("pkcs12"), password("jks"));
            if let Some(alias) = self.alias {
                jks["alias"] = json!(alias);
            }
            spec.insert("keystores".to_owned(), json!({"pkcs12": pkcs12, "jks": jks}));
        }
        order
    }

    /// The Secrets that it refers to.
    pub(crate) fn needs(&self) -> Vec<Value> {
        let secret = |suffix: &str, data: Value| {
            let name = format!("{}-{suffix}", self.name);
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": {"certorder.dev/readable": "true"}}, "stringData": data})
        };
        // One with a line end, as `echo` leaves it, and one without.
        let passwords = self
            .passwords
            .map(|Passwords { pkcs12, jks }| json!({"pkcs12": format!("{pkcs12}\n"), "jks": jks}));
        let key = self.own_key.as_ref().map(|key| json!({"own.key": key}));
        let both = [("passwords", passwords), ("own", key)];
        both.into_iter().filter_map(|(suffix, data)| Some(secret(suffix, data?))).collect()
    }
}
