//! That an order whose certificate stands in its Secrets comes to rest, whatever it asks for and the cloud hands over.

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::*;
use crate::core::application::KeyAlgorithm;
use crate::core::keystore::{Alias, Format, Password};

const ID: &str = "J2lX2maH";
const NAME: &str = "www.acme.example";

/// A CA with one key.
struct Ca {
    params: CertificateParams,
    key: rcgen::KeyPair,
}

impl Ca {
    fn new(name: &str) -> Self {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { params, key: rcgen::KeyPair::generate().unwrap() }
    }

    fn root(&self) -> String {
        self.params.self_signed(&self.key).unwrap().pem()
    }

    fn signs(&self, other: &Self) -> String {
        self.sign(&other.params, &other.key)
    }

    fn sign(&self, params: &CertificateParams, key: &rcgen::KeyPair) -> String {
        params.signed_by(key, &Issuer::from_params(&self.params, &self.key)).unwrap().pem()
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    if name == NAME {
        params.not_before = rcgen::date_time_ymd(2026, 1, 2);
        params.not_after = rcgen::date_time_ymd(2026, 7, 3);
    }
    params
}

/// From when until when the leaf of these tests is valid.
fn leaf_term() -> Term {
    let [not_before, not_after] =
        ["2026-01-02T00:00:00Z", "2026-07-03T00:00:00Z"].map(|time| time.parse().unwrap());
    Term { not_before, not_after }
}

/// The bundles that a cloud may hand over for one key, each with the number of certificates in `tls.crt` and whether a
/// root is in it.
fn bundles(key: &KeyPair) -> Vec<(&'static str, String, usize, bool)> {
    let [root, old, middle, issuing, stray] = ["Root", "Old", "Middle", "Issuing", "Stray"].map(Ca::new);
    let key = rcgen::KeyPair::from_pem(key.pem().expose_secret()).unwrap();
    let leaf = issuing.sign(&params(NAME), &key);
    let by_root = root.sign(&params(NAME), &key);
    let (issuing_pem, middle_pem, root_pem) = (middle.signs(&issuing), root.signs(&middle), root.root());
    let whole = [&leaf, &issuing_pem, &middle_pem, &root_pem].map(String::as_str);
    vec![
        ("leaf and intermediates", whole[..3].concat(), 3, false),
        ("with the root", whole.concat(), 3, true),
        ("with the root in between", [whole[0], whole[3], whole[1], whole[2]].concat(), 3, true),
        (
            "upside down, twice, CRLF",
            {
                let upside_down: String = whole.iter().rev().copied().collect();
                upside_down.replace('\n', "\r\n").repeat(2)
            },
            3,
            true,
        ),
        ("a leaf of the root", by_root + &root_pem, 1, true),
        ("cross-signed", [&whole.concat(), old.signs(&root).as_str(), &old.root()].concat(), 4, true),
        (
            "cross-signed without the old root",
            [&whole.concat(), old.signs(&root).as_str()].concat(),
            4,
            false,
        ),
        ("a stray CA", whole.concat() + &stray.root(), 3, true),
        ("a leaf alone", leaf.clone(), 1, false),
    ]
}

/// What an order may ask for.
fn outputs() -> Vec<(&'static str, Value)> {
    let pkcs12 = json!({"passwordSecretRef": {"name": "stores", "key": "password"}});
    let jks = json!({"passwordSecretRef": {"name": "stores", "key": "password"}, "alias": "Shop"});
    vec![
        ("tls", json!({"secretName": "tls"})),
        ("pkcs12", json!({"secretName": "tls", "keystores": {"pkcs12": pkcs12}})),
        ("jks", json!({"secretName": "tls", "keystores": {"jks": jks}})),
        ("both", json!({"secretName": "tls", "keystores": {"pkcs12": pkcs12, "jks": jks}})),
        (
            "a template",
            json!({"secretName": "tls", "secretTemplate": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}),
        ),
        ("tke", json!({"provider": {"tencentCloud": {"certificateId": ID, "tkeSecretName": "tke"}}})),
        (
            "tls and tke",
            json!({
                "secretName": "tls",
                "provider": {"tencentCloud": {"certificateId": ID, "tkeSecretName": "tke"}},
                "keystores": {"pkcs12": pkcs12},
            }),
        ),
    ]
}

fn order(changes: &Value) -> CertificateOrder {
    let mut spec = json!({
        "provider": {"tencentCloud": {"certificateId": ID}},
        "credentialsRef": {"name": "cloud"},
        "commonName": NAME,
    });
    merge(&mut spec, changes);
    CertificateOrder {
        metadata: kube::api::ObjectMeta { name: Some("shop".to_owned()), ..kube::api::ObjectMeta::default() },
        spec: serde_json::from_value(spec).unwrap(),
        status: None,
    }
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let target = target.as_object_mut().unwrap();
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            merge(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// A namespace with the Secrets of one order.
#[derive(Default)]
struct Cluster(std::collections::BTreeMap<String, Secret>);

impl Cluster {
    /// What `Target::read` makes of it, with `changeit` as every password.
    fn target(&self, order: &CertificateOrder, key: Option<&Arc<KeyPair>>, password: &str) -> Target {
        let spec = &order.spec;
        let slot =
            |name: &String, type_| Slot { name: name.clone(), type_, stored: self.0.get(name).cloned() };
        let stores = spec.keystores.clone().unwrap_or_default();
        let password = |format| Password::new(format, password.into()).unwrap();
        let pkcs12 = stores.pkcs12.map(|_| (Format::Pkcs12, password(Format::Pkcs12), Alias::default()));
        let jks = stores.jks.map(|jks| {
            (Format::Jks, password(Format::Jks), Alias::parse(&jks.alias.unwrap_or_default()).unwrap())
        });
        Target {
            tls: spec.secret_name.as_ref().map(|name| slot(name, "kubernetes.io/tls")),
            id: spec.provider.certificate_id_secret().map(|(name, _)| Slot {
                name: name.to_owned(),
                type_: "Opaque",
                stored: self.0.get(name).cloned(),
            }),
            key: key.map(|key| Ok(Arc::clone(key))),
            further_keys: Vec::new(),
            keystores: Ok(Stores::Written(pkcs12.into_iter().chain(jks).collect())),
            template: spec.secret_template.clone().unwrap_or_default(),
            owner: Owner::of(order),
            has_own_key: key.is_some(),
        }
    }

    /// The same where the Secret with the passwords lacks the label.
    fn unlabelled(&self, order: &CertificateOrder, key: &Arc<KeyPair>) -> Target {
        let stored = order.spec.secret_name.as_ref().and_then(|name| self.0.get(name));
        let why = Problem::new(Reason::SecretKeyMissing, "Secret stores lacks the label");
        let wanted = order.spec.keystores.as_ref().unwrap();
        Target { keystores: Stores::kept(wanted, stored, why), ..self.target(order, Some(key), "changeit") }
    }

    /// Writes what is wanted as the API server does, and returns how many Secrets that changed.
    fn write(&mut self, order: &CertificateOrder, target: &Target, bundle: &Bundle) -> usize {
        let template = target.template();
        let names = Names::parse(NAME, &[]).unwrap();
        let all = target.wanted(order, &names, bundle, &[]).unwrap();
        all.into_iter()
            .filter(|(wanted, stored)| {
                let secret = match stored {
                    None => secret::created(&target.owner, wanted, template),
                    Some(stored) => {
                        let mut merged = serde_json::to_value(stored).unwrap();
                        merge(&mut merged, &secret::patch(&target.owner, stored, wanted, template));
                        serde_json::from_value(merged).unwrap()
                    }
                };
                self.0.insert(wanted.name.clone(), secret.clone()) != Some(secret)
            })
            .count()
    }
}

fn export(target: &Target, order: &CertificateOrder) -> Export {
    target.export(order, None, &Ok(Names::parse(NAME, &[]).unwrap()))
}

#[test]
fn an_order_that_was_exported_has_nothing_to_do_at_the_next_look() {
    let key = Arc::new(KeyPair::generate(KeyAlgorithm::Ecdsa(256)).unwrap());
    for (shape, pem, certificates, has_root) in bundles(&key) {
        // A key of the cloud is like any other, so one shape is enough.
        let places = if shape == "with the root" { &[true, false][..] } else { &[true] };
        for (output, changes) in outputs() {
            for &in_cluster in places {
                let case = format!("{shape}, {output}, key in the cluster: {in_cluster}");
                let order = order(&changes);
                let held = in_cluster.then_some(&key);
                let bundle = Bundle {
                    certificate_pem: pem.clone(),
                    private_key_pem: (!in_cluster).then(|| key.pem()),
                };
                let mut cluster = Cluster::default();
                let target = cluster.target(&order, held, "changeit");
                assert_eq!(export(&target, &order), Export::Due, "{case}");
                assert!(cluster.write(&order, &target, &bundle) > 0, "{case}");

                let target = cluster.target(&order, held, "changeit");
                assert_eq!(export(&target, &order), Export::Current, "{case}");
                assert_eq!(cluster.write(&order, &target, &bundle), 0, "{case}: the same again is no change");
                let term = order.spec.secret_name.is_some().then(leaf_term);
                assert_eq!((target.fetched_term(&bundle), target.stored_term()), (term, term), "{case}");
                if let Some(tls) = cluster.0.get("tls") {
                    let data = tls.data.as_ref().unwrap();
                    let count = String::from_utf8(data[TLS_CRT].0.clone()).unwrap().matches("BEGIN").count();
                    assert_eq!((count, data.contains_key(CA_CRT)), (certificates, has_root), "{case}");
                }
            }
        }
    }
}

#[test]
fn every_change_of_what_is_asked_for_is_written_once() {
    let key = Arc::new(KeyPair::generate(KeyAlgorithm::Ecdsa(256)).unwrap());
    let (_, pem, ..) = bundles(&key).remove(1);
    let bundle = Bundle { certificate_pem: pem, private_key_pem: None };
    let outputs: Vec<_> =
        outputs().into_iter().filter(|(_, changes)| changes.get("secretName").is_some()).collect();
    for (from, before) in &outputs {
        for (to, after) in outputs.iter().filter(|(to, _)| to != from) {
            let case = format!("{from} to {to}");
            let mut cluster = Cluster::default();
            let first = order(before);
            let target = cluster.target(&first, Some(&key), "changeit");
            cluster.write(&first, &target, &bundle);

            let second = order(after);
            let target = cluster.target(&second, Some(&key), "changeit");
            if export(&target, &second) == Export::Due {
                assert!(cluster.write(&second, &target, &bundle) > 0, "{case}");
            }
            let target = cluster.target(&second, Some(&key), "changeit");
            assert_eq!(export(&target, &second), Export::Current, "{case}");
        }
    }
}

#[test]
fn what_is_no_longer_as_it_was_written_is_due() {
    let key = Arc::new(KeyPair::generate(KeyAlgorithm::Ecdsa(256)).unwrap());
    let (_, pem, ..) = bundles(&key).remove(1);
    let bundle = Bundle { certificate_pem: pem, private_key_pem: None };
    let (_, changes) = outputs().remove(3);
    let order = order(&changes);
    let written = || {
        let mut cluster = Cluster::default();
        let target = cluster.target(&order, Some(&key), "changeit");
        cluster.write(&order, &target, &bundle);
        cluster
    };
    assert_eq!(
        export(&written().target(&order, Some(&key), "changed"), &order),
        Export::Due,
        "another password"
    );
    for entry in [TLS_CRT, TLS_KEY, CA_CRT, "keystore.p12", "keystore.jks"] {
        for edit in [None, Some(ByteString(b"edited".to_vec()))] {
            let mut cluster = written();
            let data = cluster.0.get_mut("tls").unwrap().data.as_mut().unwrap();
            assert!(data.remove(entry).is_some(), "{entry}");
            data.extend(edit.map(|edit| (entry.to_owned(), edit)));
            let target = cluster.target(&order, Some(&key), "changeit");
            assert_eq!(export(&target, &order), Export::Due, "{entry}");
            assert_eq!(cluster.write(&order, &target, &bundle), 1, "{entry}");
            assert_eq!(
                export(&cluster.target(&order, Some(&key), "changeit"), &order),
                Export::Current,
                "{entry}"
            );
        }
    }
}

#[test]
fn keystores_that_were_written_before_stay_while_the_label_is_missing() {
    let key = Arc::new(KeyPair::generate(KeyAlgorithm::Ecdsa(256)).unwrap());
    let bundle = |pem: String| Bundle { certificate_pem: pem, private_key_pem: None };
    let [first, renewed] = [(); 2].map(|()| bundle(bundles(&key).remove(0).1));
    for (output, changes) in outputs().into_iter().filter(|(_, changes)| changes.get("keystores").is_some()) {
        let order = order(&changes);
        let mut cluster = Cluster::default();
        let nothing = cluster.unlabelled(&order, &key);
        let asks = |problem: Option<&Problem>| problem.unwrap().message.contains("stores lacks the label");
        assert!(asks(nothing.keystores.as_ref().err()), "{output}: there is nothing to keep");
        assert!(matches!(export(&nothing, &order), Export::Blocked(_)), "{output}");

        let target = cluster.target(&order, Some(&key), "changeit");
        cluster.write(&order, &target, &first);
        let data = |cluster: &Cluster| cluster.0["tls"].data.clone().unwrap();
        let before = data(&cluster);
        let kept = cluster.unlabelled(&order, &key);
        assert_eq!(export(&kept, &order), Export::Current, "{output}");
        assert!(asks(kept.kept_keystores()), "{output}");
        assert_eq!(cluster.write(&order, &kept, &first), 0, "{output}: the same again is no change");
        let before_the_order = kept.problem_before(&order, None, |_| Vec::<CertificateOrder>::new());
        assert!(asks(before_the_order.as_ref()), "{output}: nothing is sent before the label is there");

        // Another certificate, and an edit: the pair is written, the keystores stay.
        cluster.write(&order, &kept, &renewed);
        cluster.0.get_mut("tls").unwrap().data.as_mut().unwrap().remove(TLS_CRT);
        let kept = cluster.unlabelled(&order, &key);
        assert_eq!(export(&kept, &order), Export::Due, "{output}");
        assert_eq!(cluster.write(&order, &kept, &renewed), 1, "{output}");
        let kept = cluster.unlabelled(&order, &key);
        assert_eq!(export(&kept, &order), Export::Current, "{output}");
        let after = data(&cluster);
        assert_ne!(after[TLS_CRT], before[TLS_CRT], "{output}");
        let stores = |data: &SecretData| -> Vec<ByteString> {
            data.iter()
                .filter(|(name, _)| name.starts_with("keystore"))
                .map(|(_, file)| file.clone())
                .collect()
        };
        assert_eq!(stores(&after), stores(&before), "{output}");
        assert!(!stores(&after).is_empty(), "{output}");

        // With the label they are written for the certificate that is there.
        let target = cluster.target(&order, Some(&key), "changeit");
        assert_eq!((export(&target, &order), target.kept_keystores()), (Export::Due, None), "{output}");
        cluster.write(&order, &target, &renewed);
        assert_ne!(stores(&data(&cluster)), stores(&before), "{output}");

        // What is gone cannot be kept.
        for file in ["keystore.p12", "keystore.jks"] {
            cluster.0.get_mut("tls").unwrap().data.as_mut().unwrap().remove(file);
        }
        assert!(asks(cluster.unlabelled(&order, &key).keystores.as_ref().err()), "{output}");
    }
}

/// A Secret that bears the marks of the order, set by this field manager.
fn marked(type_: &str, data: &Value, manager: &str) -> Secret {
    let marks = json!({"certorder.dev/order": "shop", "certorder.dev/certificate-id": ID});
    serde_json::from_value(json!({
        "metadata": {"name": "tls", "annotations": marks, "managedFields": [{
            "manager": manager,
            "fieldsV1": {"f:metadata": {"f:annotations": {"f:certorder.dev/order": {}}}},
        }]},
        "type": type_,
        "data": data.as_object().unwrap().iter().map(|(name, text)| {
            (name.clone(), json!(ByteString(text.as_str().unwrap().as_bytes().to_vec())))
        }).collect::<serde_json::Map<_, _>>(),
    }))
    .unwrap()
}

#[test]
fn no_private_key_is_lost_that_is_not_superseded() {
    let [mine, other] = [(); 2].map(|()| Arc::new(KeyPair::generate(KeyAlgorithm::Ecdsa(256)).unwrap()));
    let [mine_pem, other_pem] = [&mine, &other].map(|key| key.pem().expose_secret().to_owned());
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let pair = |key: &str| json!({"tls.crt": "a certificate", "tls.key": key});
    // Type, content, who set the marks, whether a key is to be written, whether it may be.
    let table = [
        ("kubernetes.io/tls", pair(&mine_pem), "kubectl", true, true),
        ("kubernetes.io/tls", pair(&other_pem), "certorder", true, true),
        ("kubernetes.io/tls", pair(&other_pem), "kubectl", true, false),
        ("kubernetes.io/tls", pair(encrypted), "kubectl", true, false),
        ("kubernetes.io/tls", pair("no key at all"), "kubectl", true, true),
        ("Opaque", json!({"tls.key": other_pem}), "certorder", false, false),
        ("Opaque", json!({"tls.key": other_pem}), "kubectl", false, false),
        ("Opaque", json!({"tls.crt": "a certificate"}), "kubectl", false, true),
    ];
    for (type_, data, manager, has_key, may) in table {
        let case = format!("{type_} by {manager}: {data}");
        let type_: &'static str = if type_ == OPAQUE { OPAQUE } else { TLS };
        let slot = Slot { name: "tls".to_owned(), type_, stored: Some(marked(type_, &data, manager)) };
        let keys = if has_key { vec![Arc::clone(&mine)] } else { Vec::new() };
        assert_eq!(slot.loses_a_key(&keys).is_none(), may, "{case}");
    }
}

#[test]
fn advice_never_touches_what_bears_the_marks_of_another_order() {
    let mut secret = marked("Opaque", &json!({"tls.key": "x"}), "certorder");
    let advice = |secret: &Secret, type_| {
        let owner = Owner { order: "other".to_owned(), certificate_id: "Z".to_owned(), current: None };
        owner.conflict(secret, type_, "choose another name").message
    };
    let said = advice(&secret, OPAQUE);
    assert!(said.contains("CertificateOrder shop for certificate J2lX2maH"), "{said}");
    assert!(!said.contains("delete") && !said.contains("annotate"), "{said}");
    secret.metadata.annotations = None;
    let said = advice(&secret, TLS);
    assert!(said.contains("has the type Opaque") && said.contains("cannot be changed"), "{said}");
    let said = advice(&secret, OPAQUE);
    assert!(said.contains("annotate it with certorder.dev/order: other"), "{said}");
    secret.data = marked("Opaque", &json!({"tls.key": "-----BEGIN PRIVATE KEY-----"}), "x").data;
    assert!(!advice(&secret, OPAQUE).contains("annotate"));
}

#[test]
fn entries_of_others_stay_and_what_an_older_version_wrote_is_taken_for_its_own() {
    let key = Arc::new(KeyPair::generate(KeyAlgorithm::Ecdsa(256)).unwrap());
    let (_, pem, ..) = bundles(&key).remove(1);
    let bundle = Bundle { certificate_pem: pem, private_key_pem: None };
    let all = outputs();
    let (with_jks, without) = (order(&all[2].1), order(&all[0].1));
    for is_old in [false, true] {
        let mut cluster = Cluster::default();
        let target = cluster.target(&with_jks, Some(&key), "changeit");
        cluster.write(&with_jks, &target, &bundle);
        if is_old {
            let annotations = cluster.0.get_mut("tls").unwrap().metadata.annotations.as_mut().unwrap();
            annotations.remove("certorder.dev/entries").unwrap();
        }
        let target = cluster.target(&with_jks, Some(&key), "changeit");
        assert_eq!(export(&target, &with_jks), Export::Current, "an upgrade writes nothing");
        // No longer asked for, and somebody else adds another entry.
        let target = cluster.target(&without, Some(&key), "changeit");
        assert_eq!(export(&target, &without), Export::Due);
        cluster.write(&without, &target, &bundle);
        let data = cluster.0.get_mut("tls").unwrap().data.as_mut().unwrap();
        assert!(!data.contains_key("keystore.jks"), "old: {is_old}");
        data.insert("keystore.jks".to_owned(), ByteString(b"theirs".to_vec()));
        let target = cluster.target(&without, Some(&key), "changeit");
        assert_eq!(export(&target, &without), Export::Current);
    }
}
