//! Each output with each shape of bundle.

use certorder_sim::tencent::Shape;
use serde_json::{Value, json};

use crate::clouds::Kind;
use crate::fixtures::{self, NAME};
use crate::world::World;

/// The Secret with the password of all keystores.
pub(super) const STORES: &str = "stores";
/// The Secret with the key of the CSRs that are not made by certorder.
pub(super) const MINE: &str = "mine";

/// One order.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) certificate: String,
    pub(super) order: Value,
    /// The Secrets that it writes when it is issued.
    pub(super) secrets: Vec<String>,
    /// The certificate is fetched for them.
    pub(super) is_fetched: bool,
    pub(super) shape: Shape,
}

/// All of them.
pub(super) fn all(world: &World, mine: &rcgen::KeyPair) -> Vec<Case> {
    let csr = fixtures::csr_of(mine, &[NAME]);
    let mut cases = Vec::new();
    for output in outputs(world.kind) {
        // Where the certificate goes into no Secret, its shape is no matter.
        let shapes = if output.has_secret { &Shape::ALL[..] } else { &[Shape::Usual, Shape::WithRoot] };
        for &shape in shapes {
            cases.push(output.case(world, cases.len(), shape, &csr));
        }
    }
    cases
}

/// Where the private key is.
#[derive(Clone, Copy)]
enum Key {
    InCluster,
    Cloud,
    /// Nobody names it.
    Away,
    /// In a Secret that the order names.
    Named,
}

/// What an order asks for.
struct Output {
    name: &'static str,
    key: Key,
    has_secret: bool,
    /// Of an order with a Secret.
    extras: Value,
    has_tke: bool,
}

fn output(name: &'static str, key: Key, extras: Value) -> Output {
    Output { name, key, has_secret: true, extras, has_tke: false }
}

fn outputs(kind: Kind) -> Vec<Output> {
    let pkcs12 = json!({"passwordSecretRef": {"name": STORES, "key": "password"}});
    let jks = json!({"passwordSecretRef": {"name": STORES, "key": "password"}, "alias": "Shop"});
    let both = json!({"keystores": {"pkcs12": pkcs12, "jks": jks}});
    let template = json!({"labels": {"team": "web"}, "annotations": {"note": "x"}});
    let none = json!({});
    let mut all = vec![
        output("tls", Key::InCluster, none.clone()),
        output("crt", Key::Away, none.clone()),
        output("named", Key::Named, none.clone()),
        output("cloud", Key::Cloud, none.clone()),
        output("pkcs12", Key::InCluster, json!({"keystores": {"pkcs12": pkcs12}})),
        output("jks", Key::Named, json!({"keystores": {"jks": jks}})),
        output("both", Key::Cloud, both.clone()),
        output("template", Key::InCluster, json!({ "secretTemplate": template })),
        Output { has_secret: false, ..output("nothing", Key::InCluster, none.clone()) },
        Output { has_secret: false, ..output("bare", Key::Cloud, none.clone()) },
    ];
    if kind == Kind::Tencent {
        all.push(Output { has_secret: false, has_tke: true, ..output("tke", Key::Cloud, none) });
        all.push(Output { has_tke: true, ..output("all", Key::InCluster, both) });
    }
    all
}

impl Output {
    fn case(&self, world: &World, number: usize, shape: Shape, csr: &str) -> Case {
        let name = format!("{}-{shape:?}", self.name).to_lowercase();
        let (cloud, certificate) = world.kind.numbered(number);
        let mut order = world.order(&name);
        let spec = order["spec"].as_object_mut().unwrap();
        spec["provider"][cloud]["certificateId"] = json!(certificate);
        let mut secrets = Vec::new();
        if self.has_secret {
            secrets.push(format!("{name}-tls"));
            spec.insert("secretName".to_owned(), json!(format!("{name}-tls")));
            spec.extend(self.extras.as_object().unwrap().clone());
        }
        if self.has_tke {
            secrets.push(format!("{name}-tke"));
            spec["provider"][cloud]["tkeSecretName"] = json!(format!("{name}-tke"));
        }
        match self.key {
            Key::InCluster => spec["privateKey"] = json!({"algorithm": "ECDSA"}),
            Key::Cloud => spec["privateKey"] = json!({"algorithm": "ECDSA", "source": "Cloud"}),
            Key::Away | Key::Named => {
                spec.remove("privateKey");
                spec.insert("csr".to_owned(), json!(csr));
            }
        }
        if let Key::Named = self.key {
            spec.insert("privateKeySecretRef".to_owned(), json!({"name": MINE, "key": "key"}));
        }
        Case { name, certificate, order, secrets, is_fetched: self.has_secret, shape }
    }
}
