//! The manifests, and the annotations of each order that the tryout reads.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use certorder::api::v1alpha1::conditions::{ConditionType, Reason};
use certorder::api::v1alpha1::{CertificateOrder, CertificateOrderStatus, OrganizationProfile};
use certorder_sim::tencent::{Company, Manager};
use certorder_sim::{huawei, tencent};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams, ValidationDirective};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use strum::IntoEnumIterator;

/// The condition that an order must reach, as `Type=Status` or `Type=Status/Reason`.
const REACHES: &str = "tryout.certorder.dev/reaches";
/// The product to buy at the simulated cloud for an order.
const PRODUCT: &str = "tryout.certorder.dev/product";
/// Whether the simulated cloud makes a successor of the certificate once it is issued: `true`.
const RENEWED: &str = "tryout.certorder.dev/renewed";
/// The field manager of the manifests.
pub(crate) const FIELD_MANAGER: &str = "certorder-tryout";
/// The label of all applied objects, with the field manager as its value.
pub(crate) const MADE_BY: &str = "app.kubernetes.io/managed-by";

/// The values of [`PRODUCT`], and the product at each cloud.
const PRODUCTS: [(&str, tencent::Product, huawei::Product); 6] = [
    ("dv", tencent::Product::DV_SINGLE, huawei::Product::DV_SINGLE),
    ("dv-multi-domain", tencent::Product::DV_MULTI, huawei::Product::DV_MULTI),
    ("dv-wildcard", tencent::Product::DV_WILDCARD, huawei::Product::DV_WILDCARD),
    ("ov", tencent::Product::OV_SINGLE, huawei::Product::OV_SINGLE),
    ("ov-multi-domain", tencent::Product::OV_MULTI, huawei::Product::OV_MULTI),
    ("ov-wildcard", tencent::Product::OV_WILDCARD, huawei::Product::OV_WILDCARD),
];

/// The product that is bought for an order.
#[derive(Clone, Copy)]
pub(crate) enum Product {
    /// At Tencent Cloud.
    Tencent(tencent::Product),
    /// At Huawei Cloud.
    Huawei(huawei::Product),
}

/// What is wrong with a manifest.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub(crate) struct Error {
    file: String,
    problem: String,
}

/// Every manifest of a directory.
pub(crate) struct Manifests {
    /// The one namespace that they are in.
    pub(crate) namespace: String,
    /// All objects, in the order of the files.
    pub(crate) all: Vec<Manifest>,
    /// The orders among them.
    pub(crate) orders: Vec<Order>,
    /// The profiles among them that are saved in the cloud's console too.
    pub(crate) saved: Vec<Saved>,
}

/// A profile as saved in the console.
pub(crate) struct Saved {
    /// The profile's name.
    pub(crate) profile: String,
    /// Its account's access key.
    pub(crate) secret_id: String,
    /// Its organisation.
    pub(crate) company: Company,
    /// Its administrator.
    pub(crate) manager: Manager,
}

/// One object of a file.
pub(crate) struct Manifest {
    file: String,
    kind: ApiResource,
    /// As in the file.
    pub(crate) object: DynamicObject,
}

/// An order and its annotations.
pub(crate) struct Order {
    /// The order itself.
    pub(crate) object: CertificateOrder,
    /// The condition that it must reach.
    pub(crate) goal: Goal,
    /// The product that is bought for it.
    pub(crate) product: Product,
    /// Whether the cloud makes a successor of its certificate.
    #[cfg_attr(test, allow(dead_code, reason = "the tests that include this file renew nothing"))]
    pub(crate) is_renewed: bool,
    /// Its account's access key.
    pub(crate) secret_id: String,
    /// The secret of that key.
    pub(crate) secret_key: String,
}

impl Manifests {
    /// Reads every YAML file of a directory.
    pub(crate) fn read(directory: &Path) -> Result<Self, Error> {
        let mut all = Vec::new();
        for file in files(directory)? {
            all.extend(Manifest::read(&file)?);
        }
        let namespace = namespace(directory, &all)?;
        let secrets = of_kind::<Secret>(&all)?;
        let orders = of_kind::<CertificateOrder>(&all)?
            .into_iter()
            .map(|(file, object)| Order::new(file, object, &secrets))
            .collect::<Result<_, _>>()?;
        let profiles = of_kind::<OrganizationProfile>(&all)?;
        let saved =
            (1..).zip(profiles).filter_map(|(number, (_, profile))| Saved::new(number, &profile, &secrets));
        let saved = saved.collect();
        Ok(Self { namespace, all, orders, saved })
    }
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let unreadable = |error: std::io::Error| problem(&directory.display().to_string(), &error.to_string());
    let entries = std::fs::read_dir(directory).map_err(unreadable)?;
    let mut files = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    Ok(files)
}

/// The namespace that is created. Every other object must be in it, since it is deleted as a whole in the end.
fn namespace(directory: &Path, all: &[Manifest]) -> Result<String, Error> {
    let found = of_kind::<Namespace>(all)?;
    let [(_, namespace)] = found.as_slice() else {
        return Err(problem(
            &directory.display().to_string(),
            "one of the files must have a Namespace, and only one",
        ));
    };
    let namespace = namespace.name_any();
    let is_stray =
        |one: &&Manifest| one.kind.kind != "Namespace" && one.object.namespace().as_ref() != Some(&namespace);
    match all.iter().find(is_stray) {
        Some(stray) => Err(problem(
            &stray.file,
            &format!("{} must be in namespace {namespace}", stray.object.name_any()),
        )),
        None => Ok(namespace),
    }
}

/// The objects of one kind, each with its file.
fn of_kind<K: Resource<DynamicType = ()> + DeserializeOwned>(
    all: &[Manifest],
) -> Result<Vec<(&str, K)>, Error> {
    let of_kind = all.iter().filter(|one| one.kind.kind == K::kind(&()));
    of_kind
        .map(|one| {
            let typed =
                one.object.clone().try_parse().map_err(|error| problem(&one.file, &error.to_string()))?;
            Ok((one.file.as_str(), typed))
        })
        .collect()
}

impl Manifest {
    fn read(file: &Path) -> Result<Vec<Self>, Error> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| problem(&name, &error.to_string()))?;
        let objects: Vec<DynamicObject> =
            serde_saphyr::from_multiple(&text).map_err(|error| problem(&name, &error.to_string()))?;
        let with_kind = |object: DynamicObject| match kind(&object) {
            Some(kind) => Ok(Self { file: name.clone(), kind, object }),
            None => Err(problem(
                &name,
                &format!("{} is of a kind that the tryout does not apply", object.name_any()),
            )),
        };
        objects.into_iter().map(with_kind).collect()
    }

    /// Applies it as `kubectl apply --server-side` does; a field that the API server does not know is an error.
    pub(crate) async fn apply(&self, client: &Client) -> Result<(), kube::Error> {
        let mut object = self.object.clone();
        object.labels_mut().insert(MADE_BY.to_owned(), FIELD_MANAGER.to_owned());
        let api: Api<DynamicObject> = match object.namespace() {
            Some(namespace) => Api::namespaced_with(client.clone(), &namespace, &self.kind),
            None => Api::all_with(client.clone(), &self.kind),
        };
        let params = PatchParams {
            field_validation: Some(ValidationDirective::Strict),
            ..PatchParams::apply(FIELD_MANAGER).force()
        };
        api.patch(&object.name_any(), &params, &Patch::Apply(&object)).await.map(drop)
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.kind, self.object.name_any())
    }
}

/// The kind of an object, if it is one that the manifests may have.
fn kind(object: &DynamicObject) -> Option<ApiResource> {
    let types = object.types.as_ref()?;
    let known = [
        ApiResource::erase::<Namespace>(&()),
        ApiResource::erase::<Secret>(&()),
        ApiResource::erase::<OrganizationProfile>(&()),
        ApiResource::erase::<CertificateOrder>(&()),
    ];
    known.into_iter().find(|known| known.api_version == types.api_version && known.kind == types.kind)
}

impl Saved {
    /// The profile as saved in the console, from the same data.
    fn new(number: u64, profile: &OrganizationProfile, secrets: &[(&str, Secret)]) -> Option<Self> {
        let account = &profile.spec.tencent_cloud.as_ref()?.credentials_ref.name;
        let organization = profile.spec.organization.as_ref()?;
        let person = &profile.spec.administrator.as_ref()?.from_secret.as_ref()?.name;
        let datum = |key| entry(secrets, person, key).unwrap_or_default();
        let (company_id, manager_id) = (133 + number, 2344 + number);
        Some(Self {
            profile: profile.name_any(),
            secret_id: entry(secrets, account, "secretId")?,
            company: Company {
                id: company_id,
                name: organization.name.clone()?,
                city: organization.city.clone().unwrap_or_default(),
                ..Company::default()
            },
            manager: Manager {
                id: manager_id,
                company_id,
                status: "none".to_owned(),
                first_name: datum("firstName"),
                last_name: datum("lastName"),
                position: datum("title"),
                phone: datum("phone"),
                mail: datum("email"),
                ..Manager::default()
            },
        })
    }
}

/// An entry of a Secret among the manifests.
fn entry(secrets: &[(&str, Secret)], name: &str, key: &str) -> Option<String> {
    let (_, secret) = secrets.iter().find(|(_, secret)| secret.name_any() == name)?;
    secret.string_data.as_ref()?.get(key).cloned()
}

impl Order {
    fn new(file: &str, object: CertificateOrder, secrets: &[(&str, Secret)]) -> Result<Self, Error> {
        let annotation = |name| {
            let value = object.annotations().get(name);
            value.ok_or_else(|| problem(file, &format!("the order lacks the annotation {name}")))
        };
        let goal = annotation(REACHES)?.parse().map_err(|error: String| problem(file, &error))?;
        let is_huawei = object.spec.provider.huawei_cloud.is_some();
        let product =
            product(annotation(PRODUCT)?, is_huawei).map_err(|error: String| problem(file, &error))?;
        let name = &object.spec.credentials_ref.name;
        let entry = |key: &str| {
            entry(secrets, name, key).ok_or_else(|| {
                problem(file, &format!("no manifest has a Secret {name} with {key} in its stringData"))
            })
        };
        let (secret_id, secret_key) =
            (entry(if is_huawei { "accessKey" } else { "secretId" })?, entry("secretKey")?);
        let is_renewed = object.annotations().get(RENEWED).is_some_and(|value| value == "true");
        Ok(Self { object, goal, product, is_renewed, secret_id, secret_key })
    }
}

fn product(name: &str, is_huawei: bool) -> Result<Product, String> {
    let found = PRODUCTS.iter().find(|(known, ..)| *known == name);
    let (_, tencent, huawei) = found.ok_or_else(|| {
        format!("{PRODUCT} is {name}; it must be one of {}", PRODUCTS.map(|(known, ..)| known).join(", "))
    })?;
    Ok(if is_huawei { Product::Huawei(*huawei) } else { Product::Tencent(*tencent) })
}

/// A condition that an order must reach.
pub(crate) struct Goal {
    type_: ConditionType,
    status: String,
    reason: Option<Reason>,
}

impl Goal {
    /// Whether a status shows it.
    pub(crate) fn is_reached(&self, status: &CertificateOrderStatus) -> bool {
        status.conditions.iter().any(|condition| {
            condition.type_ == <&str>::from(self.type_)
                && condition.status == self.status
                && self.reason.is_none_or(|reason| condition.reason == <&str>::from(reason))
        })
    }
}

impl FromStr for Goal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("{REACHES} is {text}; write Type=Status or Type=Status/Reason, as in Ready=True/Issued")
        };
        let (type_, rest) = text.split_once('=').ok_or_else(wrong)?;
        let (status, reason) = match rest.split_once('/') {
            Some((status, reason)) => (status, Some(reason)),
            None => (rest, None),
        };
        let type_ = ConditionType::iter().find(|known| known.to_string() == type_).ok_or_else(wrong)?;
        let reason = match reason {
            Some(name) => Some(Reason::iter().find(|known| known.to_string() == name).ok_or_else(wrong)?),
            None => None,
        };
        if !matches!(status, "True" | "False" | "Unknown") {
            return Err(wrong());
        }
        Ok(Self { type_, status: status.to_owned(), reason })
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.type_, self.status)?;
        self.reason.map_or(Ok(()), |reason| write!(f, "/{reason}"))
    }
}

fn problem(file: &str, problem: &str) -> Error {
    Error { file: file.to_owned(), problem: problem.to_owned() }
}
