//! A changed object requeues exactly the orders and profiles that refer to it.

use std::collections::BTreeSet;

use kube::ResourceExt;
use kube::api::ObjectMeta;
use kube::runtime::watcher::Event;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::*;
use crate::api::v1alpha1::{
    CertificateOrder, CertificateOrderSpec, CertificateOrderStatus, OrganizationProfile, Submission, seconds,
};
use crate::cluster::cache::{Cache, Cached, Key, Writer};
use crate::order::references;
use crate::profile::references as profile_references;

fn key(name: &str) -> Key {
    ("shop".to_owned(), name.to_owned())
}

/// An order with other fields.
fn with(name: &str, more: &Value) -> CertificateOrder {
    let plain = order(name, 0);
    let mut spec = serde_json::to_value(&plain.spec).unwrap();
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let spec: CertificateOrderSpec = serde_json::from_value(spec).unwrap();
    CertificateOrder { spec, ..plain }
}

fn profile(name: &str, spec: &Value) -> OrganizationProfile {
    let mut profile = OrganizationProfile::new(name, serde_json::from_value(spec.clone()).unwrap());
    profile.metadata.namespace = Some("shop".to_owned());
    profile
}

fn filled<K: Cached>(objects: impl IntoIterator<Item = K>) -> (Cache<K>, Writer<K>) {
    let (cache, mut writer) = Cache::new();
    let list = objects.into_iter().map(Event::InitApply);
    [Event::Init].into_iter().chain(list).chain([Event::InitDone]).for_each(|event| writer.apply(event));
    (cache, writer)
}

fn names(keys: BTreeSet<Key>) -> Vec<String> {
    keys.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn a_secret_requeues_the_orders_that_read_or_write_it() {
    let selector = |name| json!({"name": name, "key": "key"});
    let orders = [
        with("plain", &json!({})),
        with("own-csr", &json!({"csrSecretRef": selector("csr"), "privateKeySecretRef": selector("pair")})),
        with("written", &json!({"secretName": "tls"})),
        with(
            "stores",
            &json!({"keystores": {"jks": {"passwordSecretRef": selector("jks")},
                                           "pkcs12": {"passwordSecretRef": selector("p12")}}}),
        ),
        with(
            "tencent",
            &json!({"provider": {"tencentCloud": {"certificateId": ID, "keyPasswordSecretRef": selector("pass"),
                "confirmationLetterSecretRef": selector("letter"), "tkeSecretName": "tke"}}}),
        ),
        with("elsewhere", &json!({"credentialsRef": {"name": "other"}})),
    ];
    let (orders, _writer) = filled(orders);
    let (profiles, _) = filled::<OrganizationProfile>([]);
    let cases: [(&str, &[&str]); 13] = [
        ("cloud", &["own-csr", "plain", "stores", "tencent", "written"]),
        ("other", &["elsewhere"]),
        ("csr", &["own-csr"]),
        ("pair", &["own-csr"]),
        ("tls", &["written"]),
        ("jks", &["stores"]),
        ("p12", &["stores"]),
        ("pass", &["tencent"]),
        ("letter", &["tencent"]),
        ("tke", &["tencent"]),
        ("plain-key", &["plain"]),
        ("plain", &[]),
        ("shop", &[]),
    ];
    for (secret, wanted) in cases {
        assert_eq!(names(references::of_secret(&orders, &profiles, &key(secret))), wanted, "{secret}");
    }
    let elsewhere = ("other".to_owned(), "cloud".to_owned());
    assert!(
        references::of_secret(&orders, &profiles, &elsewhere).is_empty(),
        "a Secret of another namespace"
    );
}

#[test]
fn a_profile_and_its_secrets_requeue_the_orders_that_are_not_ordered_yet() {
    let with_profile = |name| with(name, &json!({"organizationProfileRef": {"name": "acme"}}));
    let mut ordered = with_profile("ordered");
    let submission = Submission { ordered_at: Some(seconds(at(1))), frozen: true, ..Submission::default() };
    ordered.status =
        Some(CertificateOrderStatus { submission: Some(submission), ..CertificateOrderStatus::default() });
    let (orders, _writer) = filled([with_profile("new"), ordered, with("none", &json!({}))]);
    let spec = json!({
        "organization": {"name": "Acme", "identification": {"type": "TYDMZ",
            "numberSecretRef": {"name": "identity", "key": "id"}}},
        "administrator": {"fromSecret": {"name": "admin"}},
        "tencentCloud": {"credentialsRef": {"name": "profile-credentials"}},
    });
    let (profiles, _) = filled([profile("acme", &spec), profile("other", &json!({}))]);
    assert_eq!(names(references::of_profile(&orders, &key("acme"))), ["new"]);
    for secret in ["identity", "admin", "profile-credentials"] {
        assert_eq!(names(references::of_secret(&orders, &profiles, &key(secret))), ["new"], "{secret}");
        assert_eq!(names(profile_references::of_secret(&profiles, &key(secret))), ["acme"], "{secret}");
    }
    assert!(profile_references::of_secret(&profiles, &key("cloud")).is_empty());
}

#[test]
fn a_cache_keeps_no_more_of_an_object_than_is_read() {
    let mut order = order("www", 0);
    annotate(&mut order, "kubectl.kubernetes.io/last-applied-configuration", "{}");
    annotate(&mut order, "certorder.dev/reconcile-at", "now");
    order.metadata.managed_fields = Some(Vec::new());
    let (orders, _writer) = filled([order]);
    let kept = orders.get(&key("www")).unwrap();
    assert_eq!(kept.annotations().keys().collect::<Vec<_>>(), ["certorder.dev/reconcile-at"]);
    assert_eq!(kept.metadata, ObjectMeta { managed_fields: None, ..kept.metadata.clone() });
}

/// A watch event for orders `a` to `d`, each with a choice of Secrets.
#[derive(Clone, Debug)]
enum Shown {
    Apply(usize, usize),
    Deleted(usize),
    Unreadable(usize),
    List(Vec<(usize, usize)>),
}

fn shown() -> impl Strategy<Value = Shown> {
    let one = || (0..4usize, 0..4usize);
    prop_oneof![
        6 => one().prop_map(|(who, what)| Shown::Apply(who, what)),
        3 => (0..4usize).prop_map(Shown::Deleted),
        1 => (0..4usize).prop_map(Shown::Unreadable),
        1 => prop::collection::vec(one(), 0..4).prop_map(Shown::List),
    ]
}

fn choice((who, what): (usize, usize)) -> CertificateOrder {
    let credentials = ["cloud", "other"][what % 2];
    let mut more = json!({"credentialsRef": {"name": credentials}});
    if what > 1 {
        more["secretName"] = json!("tls");
    }
    with(["a", "b", "c", "d"][who], &more)
}

proptest! {
    #![proptest_config(search(200))]

    #[test]
    fn the_index_finds_what_a_search_would_find(history in prop::collection::vec(shown(), 0..20)) {
        let (cache, mut writer) = filled([]);
        for shown in history {
            match shown {
                Shown::Apply(who, what) => writer.apply(Event::Apply(choice((who, what)))),
                Shown::Deleted(who) => writer.apply(Event::Delete(choice((who, 0)))),
                Shown::Unreadable(who) => writer.unreadable(&key(["a", "b", "c", "d"][who]), None),
                Shown::List(list) => {
                    writer.apply(Event::Init);
                    for one in list {
                        writer.apply(Event::InitApply(choice(one)));
                    }
                    writer.apply(Event::InitDone);
                }
            }
            let all = cache.objects().state();
            let targets: Vec<_> = all.iter().flat_map(|order| order.targets()).collect();
            let extra = ["cloud", "other", "tls"].map(|name| crate::cluster::cache::Target::Secret(key(name)));
            for target in targets.into_iter().chain(extra) {
                let found: BTreeSet<String> =
                    cache.referring_to(&target).iter().map(|order| order.name_any()).collect();
                let searched = all.iter().filter(|order| order.targets().contains(&target));
                prop_assert_eq!(found, searched.map(|order| order.name_any()).collect::<BTreeSet<_>>());
            }
        }
    }
}
