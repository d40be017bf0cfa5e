//! All supported clouds: the one place that knows them all.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use k8s_openapi::ByteString;

use crate::api::v1alpha1::conditions::Reason;
use crate::api::v1alpha1::{TencentCloudProfile, provider};
use crate::core::clock::Clock;
use crate::core::conditions::Problem;

use super::credentials::CredentialsError;
use super::huawei::Huawei;
use super::huawei::region::{NotARegion, Template};
use super::tencent::directory::{self, SavedProfiles};
use super::tencent::{Client, Tencent};
use super::transport::{Endpoint, EndpointError, Transport};
use super::{Directory, Provider, huawei, tencent};

/// The flags that concern the clouds.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The longest that one exchange with a cloud may take.
    pub call_timeout: Duration,
    /// Tencent Cloud's limit: calls a second for each account and action.
    pub tencent_rate_limit: NonZeroU32,
    /// Replaces both sites of Tencent Cloud.
    pub tencent_endpoint: Option<Endpoint>,
    /// Huawei Cloud's limit: calls a second for each account and action.
    pub huawei_rate_limit: NonZeroU32,
    /// Replaces the hosts of Huawei Cloud, with the region filled in.
    pub huawei_endpoint: Option<Template>,
    /// Cancelled once the process shuts down: then no write begins.
    pub shutdown: CancellationToken,
    /// The clock by which requests are signed.
    pub clock: Clock,
}

/// For tests of one cloud: the defaults of the others.
#[cfg(test)]
impl Default for Settings {
    fn default() -> Self {
        Self {
            call_timeout: Duration::from_secs(20),
            tencent_rate_limit: NonZeroU32::MIN,
            tencent_endpoint: None,
            huawei_rate_limit: NonZeroU32::MIN,
            huawei_endpoint: None,
            shutdown: CancellationToken::new(),
            clock: Clock::default(),
        }
    }
}

/// All clouds, ready to be called.
#[derive(Debug)]
pub struct Clouds {
    tencent: Arc<tencent::Service>,
    huawei: Arc<huawei::Service>,
}

/// Why the clouds cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No HTTP client: most often no CA certificates are installed.
    #[error("no HTTP client could be made; are CA certificates installed?")]
    Client(#[from] reqwest::Error),
    /// The host of a cloud does not form a URL.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

/// Why no certificate can be opened.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OpenError {
    /// The Secret holds no usable credentials.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The region is not valid.
    #[error("spec.provider.huaweiCloud.region: {0}")]
    Region(#[from] NotARegion),
    /// The region does not form an address.
    #[error("the address of the region: {0}")]
    Endpoint(#[from] EndpointError),
    /// No cloud is named.
    #[error("spec.provider names no cloud: set tencentCloud or huaweiCloud")]
    NoCloud,
}

impl OpenError {
    /// The reason for the condition.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Credentials(error) => error.reason(),
            Self::Region(_) | Self::Endpoint(_) | Self::NoCloud => Reason::InvalidRequest,
        }
    }

    /// The problem for the user, who named the Secret in this field.
    #[must_use]
    pub fn problem(&self, secret: &str, field: &str) -> Problem {
        let message = match self {
            Self::Credentials(error) => format!("Secret {secret} of {field}: {error}"),
            Self::Region(_) | Self::Endpoint(_) | Self::NoCloud => self.to_string(),
        };
        Problem::new(self.reason(), message)
    }
}

impl Clouds {
    /// Sets up the clouds, once for each process: the rate limits are kept here.
    pub fn new(settings: &Settings) -> Result<Self, SetupError> {
        let transport = Transport::new(settings.call_timeout, settings.shutdown.clone())?;
        let tencent = tencent::Service::new(
            transport.clone(),
            settings.tencent_rate_limit,
            settings.tencent_endpoint.as_ref(),
            settings.clock,
        )?;
        let template = settings.huawei_endpoint.clone().unwrap_or_default();
        let huawei = huawei::Service::new(transport, settings.huawei_rate_limit, template, settings.clock);
        Ok(Self { tencent: Arc::new(tencent), huawei: Arc::new(huawei) })
    }

    /// The certificate that `provider` names, with the credentials of a Secret, for an order of a namespace. Makes no call.
    pub fn open(
        &self,
        namespace: &str,
        provider: &provider::Provider,
        secret: &BTreeMap<String, ByteString>,
    ) -> Result<Box<dyn Provider>, OpenError> {
        if let Some(order) = &provider.tencent_cloud {
            let credentials = tencent::credentials::Credentials::from_secret(secret)?;
            return Ok(Box::new(Tencent::new(self.tencent.clone(), credentials, namespace, order.clone())));
        }
        if let Some(order) = &provider.huawei_cloud {
            let credentials = huawei::credentials::Credentials::from_secret(secret)?;
            let endpoint = self.huawei.endpoint(&order.region.parse()?)?;
            let service = self.huawei.clone();
            return Ok(Box::new(Huawei::new(service, credentials, namespace, order.clone(), endpoint)));
        }
        Err(OpenError::NoCloud)
    }

    /// The profiles that are saved in the account of a Secret, for a profile of a namespace. Makes no call.
    pub fn directory(
        &self,
        namespace: &str,
        saved: &TencentCloudProfile,
        secret: &BTreeMap<String, ByteString>,
    ) -> Result<Box<dyn Directory>, OpenError> {
        let credentials = tencent::credentials::Credentials::from_secret(secret)?;
        let client = Client::new(self.tencent.clone(), credentials, namespace, saved.site);
        Ok(Box::new(SavedProfiles::new(client)))
    }
}

/// The cloud's name, as `status.provider` shows it; empty if no cloud is named, which the API server refuses.
#[must_use]
pub fn name(provider: &provider::Provider) -> &'static str {
    match (&provider.tencent_cloud, &provider.huawei_cloud) {
        (Some(_), _) => "TencentCloud",
        (None, Some(_)) => "HuaweiCloud",
        (None, None) => "",
    }
}

/// The id of the paid certificate; empty if no cloud is named, which the API server refuses.
#[must_use]
pub fn certificate_id(provider: &provider::Provider) -> &str {
    let tencent = provider.tencent_cloud.as_ref().map(|order| &order.certificate_id);
    let huawei = provider.huawei_cloud.as_ref().map(|order| &order.certificate_id);
    tencent.or(huawei).map_or("", |id| id)
}

/// The same block for another certificate of the account. What is written beside that certificate is left out.
#[must_use]
pub fn with_certificate(provider: &provider::Provider, certificate_id: &str) -> provider::Provider {
    let mut provider = provider.clone();
    if let Some(order) = &mut provider.tencent_cloud {
        certificate_id.clone_into(&mut order.certificate_id);
        order.tke_secret_name = None;
    }
    if let Some(order) = &mut provider.huawei_cloud {
        certificate_id.clone_into(&mut order.certificate_id);
    }
    provider
}

/// What names a paid certificate in all the world: `<cloud>/<site or region>/<certificate id>`. A contract between the
/// versions of certorder: the name of a claim is made of it.
#[must_use]
pub fn certificate_key(provider: &provider::Provider) -> String {
    let place = match (&provider.tencent_cloud, &provider.huawei_cloud) {
        (Some(order), _) => order.site.into(),
        (None, Some(order)) => order.region.as_str(),
        (None, None) => "",
    };
    format!("{}/{place}/{}", name(provider), certificate_id(provider))
}

/// The field selector of every order for the same paid certificate.
#[must_use]
pub fn certificate_selector(provider: &provider::Provider) -> String {
    let cloud = if provider.tencent_cloud.is_some() { "tencentCloud" } else { "huaweiCloud" };
    format!("spec.provider.{cloud}.certificateId={}", certificate_id(provider))
}

/// Whether this word of a profile's status means that the review for one kind of product is passed.
#[must_use]
pub fn is_passed(word: &str) -> bool {
    directory::is_passed(word)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn block(block: serde_json::Value) -> provider::Provider {
        serde_json::from_value(block).unwrap()
    }

    fn tencent(id: &str) -> provider::Provider {
        block(json!({"tencentCloud": {"certificateId": id}}))
    }

    fn huawei(id: &str) -> provider::Provider {
        let fields = json!({"certificateId": id, "region": "ap-southeast-1", "agreePrivacyProtection": true});
        block(json!({ "huaweiCloud": fields }))
    }

    #[test]
    fn what_cannot_be_opened_says_why() {
        let clouds = Clouds::new(&Settings::default()).unwrap();
        let open = |provider: &provider::Provider, id: &str| {
            let secret = [("secretId", id), ("accessKey", id), ("secretKey", "key")];
            let secret = secret.map(|(key, value)| (key.to_owned(), ByteString(value.into())));
            clouds.open("shop", provider, &secret.into()).map(drop).map_err(|error| error.reason())
        };
        assert_eq!(open(&tencent("J2lX2maH"), "AKID1"), Ok(()));
        assert_eq!(open(&tencent("J2lX2maH"), ""), Err(Reason::SecretKeyMissing));
        assert_eq!(open(&tencent("J2lX2maH"), "AKID1 "), Err(Reason::CredentialsRefused));
        assert_eq!(open(&huawei("scs1"), "HWAK1"), Ok(()));
        assert_eq!(open(&huawei("scs1"), ""), Err(Reason::SecretKeyMissing));
        let mut elsewhere = huawei("scs1");
        elsewhere.huawei_cloud.as_mut().unwrap().region = "evil.example/?".to_owned();
        assert_eq!(open(&elsewhere, "HWAK1"), Err(Reason::InvalidRequest));
        assert_eq!(open(&block(json!({})), "AKID1"), Err(Reason::InvalidRequest));
    }

    #[test]
    fn an_id_names_a_certificate_of_its_cloud_only() {
        assert_eq!(certificate_selector(&tencent("a")), "spec.provider.tencentCloud.certificateId=a");
        assert_eq!(certificate_selector(&huawei("b")), "spec.provider.huaweiCloud.certificateId=b");
        assert_eq!((name(&tencent("a")), name(&huawei("b"))), ("TencentCloud", "HuaweiCloud"));
        assert_eq!(certificate_key(&tencent("a")), "TencentCloud/International/a");
        assert_eq!(certificate_key(&huawei("b")), "HuaweiCloud/ap-southeast-1/b");
    }
}
