//! The two clouds, for the stories that run on both: one table of names, one handle, one macro.

use certorder_sim::huawei::{self, HuaweiCloud};
use certorder_sim::proxy::{Action, Proxy, Rule, Upstream};
use certorder_sim::tencent::{self, Shape, TencentCloud};
use http::{HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::fixtures::{
    ACCESS_KEY, CERTIFICATE, HUAWEI_CERTIFICATE, HUAWEI_SECRET_KEY, SECRET_ID, SECRET_KEY,
};

/// Which cloud a story is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Tencent,
    Huawei,
}

/// One cloud's names of what all clouds have.
pub(crate) struct Names {
    /// As `status.provider` has it.
    pub(crate) cloud: &'static str,
    /// The certificate of most stories.
    pub(crate) certificate: &'static str,
    /// The calls of one application, in their order.
    pub(crate) apply: &'static [&'static str],
    /// The calls of another attempt, in their order.
    pub(crate) apply_again: &'static [&'static str],
    pub(crate) withdraw: &'static str,
    pub(crate) read: &'static str,
    /// The read of many certificates, where the first read of an order is one of those.
    pub(crate) list: Option<&'static str>,
    pub(crate) download: &'static str,
    /// The codes for refused credentials and for too many calls.
    pub(crate) bad_signature: &'static str,
    pub(crate) too_fast: &'static str,
    /// The parameters of an application with the common name, the organisation and the CSR.
    pub(crate) parameters: [&'static str; 3],
}

const TENCENT: Names = Names {
    cloud: "TencentCloud",
    certificate: CERTIFICATE,
    apply: &["CertificateInfoSubmit", "CertificateOrderSubmit"],
    apply_again: &["ModifyCertificateResubmit", "CertificateInfoSubmit", "CertificateOrderSubmit"],
    withdraw: "CancelAuditCertificate",
    read: "DescribeCertificate",
    list: Some("DescribeCertificates"),
    download: "DescribeCertificateDetail",
    bad_signature: "AuthFailure.SignatureFailure",
    too_fast: "RequestLimitExceeded",
    parameters: ["CertCommonName", "OrgOrganization", "Csr"],
};

const HUAWEI: Names = Names {
    cloud: "HuaweiCloud",
    certificate: HUAWEI_CERTIFICATE,
    apply: &["apply"],
    apply_again: &["apply"],
    withdraw: "cancel-cert",
    read: "show",
    list: None,
    download: "export",
    bad_signature: "APIGW.0301",
    too_fast: "APIGW.0308",
    parameters: ["domain", "company_name", "csr"],
};

impl Kind {
    pub(crate) fn names(self) -> &'static Names {
        match self {
            Self::Tencent => &TENCENT,
            Self::Huawei => &HUAWEI,
        }
    }

    /// The call that submits an application.
    pub(crate) fn submit(self) -> &'static str {
        self.names().apply.first().unwrap()
    }

    /// The call that sends the order.
    pub(crate) fn order(self) -> &'static str {
        self.names().apply.last().unwrap()
    }

    /// The provider's block in an order, and one of many certificates there.
    pub(crate) fn numbered(self, number: usize) -> (&'static str, String) {
        match self {
            Self::Tencent => ("tencentCloud", format!("many{number:04}")),
            Self::Huawei => ("huaweiCloud", format!("scs{number:013}")),
        }
    }

    /// The Secret with the credentials.
    pub(crate) fn credentials(self) -> &'static str {
        match self {
            Self::Tencent => "tencent-credentials",
            Self::Huawei => "huawei-credentials",
        }
    }

    /// A rule for the requests of one call.
    pub(crate) fn rule(self, action: Action, call: &'static str) -> Rule {
        let rule = Rule::new(action);
        match self {
            Self::Tencent => {
                rule.header(HeaderName::from_static("x-tc-action"), HeaderValue::from_static(call))
            }
            Self::Huawei => rule.path(format!("/{call}")),
        }
    }
}

/// The bought product.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Product {
    Dv,
    Ov,
    /// DV with the Chinese algorithms.
    Sm2,
}

/// How a call fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slip {
    /// It takes effect, and no reply comes.
    ReplyLost,
    /// The request never arrives.
    RequestLost,
    /// A proxy answers 502, though the call took effect.
    BadGatewayAfterwards,
    /// A proxy answers 502 to this many calls, and none takes effect.
    BadGateway(u32),
    /// Only half of the reply arrives.
    Truncated,
    /// This many calls are throttled.
    TooFast(u32),
}

/// One cloud with an account, and the operator's proxy to it.
#[derive(Clone)]
pub(crate) enum Cloud {
    Tencent(TencentCloud, tencent::Account),
    Huawei(HuaweiCloud, huawei::Account),
}

/// A call in the ledger.
pub(crate) struct Call {
    pub(crate) action: String,
    pub(crate) certificate_id: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) took_effect: bool,
    pub(crate) time: Timestamp,
    pub(crate) body: Value,
    /// The same, as it came.
    pub(crate) bytes: Vec<u8>,
}

/// Expands to the same code for either cloud.
macro_rules! either {
    ($cloud:expr, |$this:ident, $account:ident| $do:expr) => {
        match $cloud {
            Cloud::Tencent($this, $account) => $do,
            Cloud::Huawei($this, $account) => $do,
        }
    };
}

/// The same kind of fault at either cloud.
macro_rules! fault {
    ($cloud:ident, $slip:expr) => {
        match $slip {
            Slip::ReplyLost => $cloud::Fault::reply_lost(),
            Slip::RequestLost => $cloud::Fault::request_lost(),
            Slip::BadGatewayAfterwards => $cloud::Fault::html(502).acting(true),
            Slip::BadGateway(times) => $cloud::Fault::html(502).times(times),
            Slip::Truncated => $cloud::Fault::truncated(),
            Slip::TooFast(times) => $cloud::Fault::throttled().times(times),
        }
    };
}

/// Starts Tencent Cloud with an account. Stories poll every 100 ms, so no cloud has a rate limit here; that has tests of
/// its own.
pub(crate) async fn start_tencent() -> (TencentCloud, tencent::Account) {
    start_tencent_with(tencent::ReissueRules::default()).await
}

/// The same with these rules for reissues.
pub(crate) async fn start_tencent_with(reissue: tencent::ReissueRules) -> (TencentCloud, tencent::Account) {
    let options = tencent::Options { calls_per_second: None, reissue, ..tencent::Options::default() };
    let cloud = TencentCloud::start(options).await.unwrap();
    let account = cloud.account(SECRET_ID, SECRET_KEY);
    (cloud, account)
}

/// The same for Huawei Cloud.
pub(crate) async fn start_huawei() -> Cloud {
    let options = huawei::Options { calls_per_second: None, ..huawei::Options::default() };
    let cloud = HuaweiCloud::start(options).await.unwrap();
    let account = cloud.account(ACCESS_KEY, HUAWEI_SECRET_KEY);
    Cloud::Huawei(cloud, account)
}

impl Cloud {
    /// A proxy before it.
    pub(crate) async fn line(&self) -> Proxy {
        let url = either!(self, |cloud, _account| cloud.url());
        Proxy::start(Upstream::http(&url).unwrap()).await.unwrap()
    }

    /// Opens another account with this key.
    pub(crate) fn open_account(&self, id: &str, key: &str) {
        either!(self, |cloud, _account| drop(cloud.account(id, key)));
    }

    pub(crate) fn buy(&self, id: &str, product: Product) {
        match (self, product) {
            (Self::Tencent(cloud, account), Product::Dv) => {
                cloud.buy(account, id, tencent::Product::DV_SINGLE);
            }
            (Self::Tencent(cloud, account), Product::Ov) => {
                cloud.buy(account, id, tencent::Product::OV_SINGLE);
            }
            (Self::Tencent(cloud, account), Product::Sm2) => {
                cloud.buy(account, id, tencent::Product::DV_SM2);
            }
            (Self::Huawei(cloud, account), Product::Sm2) => cloud.buy(account, id, huawei::Product::DV_SM2),
            (Self::Huawei(cloud, account), Product::Dv) => cloud.buy(account, id, huawei::Product::DV_SINGLE),
            (Self::Huawei(cloud, account), Product::Ov) => cloud.buy(account, id, huawei::Product::OV_SINGLE),
        }
    }

    /// Makes calls of this name fail.
    pub(crate) fn slip(&self, slip: Slip, call: &str) {
        match self {
            Self::Tencent(cloud, _) => cloud.fault(fault!(tencent, slip).action(call)),
            Self::Huawei(cloud, _) => cloud.fault(fault!(huawei, slip).action(call)),
        }
    }

    pub(crate) fn ledger(&self) -> Vec<Call> {
        either!(self, |cloud, _account| {
            let ledger = cloud.ledger().into_iter();
            let calls = ledger.map(|call| Call {
                body: call.body.json(),
                bytes: call.body.bytes().to_vec(),
                action: call.action,
                certificate_id: call.certificate_id,
                request_id: call.request_id,
                took_effect: call.took_effect,
                time: call.time,
            });
            calls.collect()
        })
    }

    /// Does the CA's next step; true once the certificate is issued.
    pub(crate) fn advance(&self, id: &str) -> bool {
        match self {
            Self::Tencent(cloud, _) => cloud.advance(id).unwrap() == tencent::Status::ISSUED,
            Self::Huawei(cloud, _) => cloud.advance(id).unwrap() == huawei::Status::ISSUED,
        }
    }

    /// The CA refuses the application.
    pub(crate) fn reject(&self, id: &str) {
        either!(self, |cloud, _account| cloud.reject(id, "domain verification timed out").unwrap());
    }

    /// The CA accepts the withdrawal.
    pub(crate) fn finish_cancel(&self, id: &str) {
        either!(self, |cloud, _account| cloud.finish_cancel(id).unwrap());
    }

    /// Sets how far the cloud's clock is ahead of the machine's; negative is behind.
    pub(crate) fn set_clock_ahead(&self, ahead: SignedDuration) {
        either!(self, |cloud, _account| cloud.set_clock_ahead(ahead));
    }

    /// Lets the cloud tell another end of the issued certificate than the certificate itself does.
    pub(crate) fn tell_later_end(&self, id: &str, later: SignedDuration) {
        either!(self, |cloud, _account| cloud
            .set(id, |certificate| certificate.issued.as_mut().unwrap().not_after += later)
            .unwrap());
    }

    /// Sets how the cloud hands over what is issued from now on.
    pub(crate) fn set_shape(&self, id: &str, shape: Shape) {
        either!(self, |cloud, _account| cloud.set(id, |certificate| certificate.shape = shape).unwrap());
    }

    /// Whether the order is with the CA.
    pub(crate) fn is_running(&self, id: &str) -> bool {
        match self {
            Self::Tencent(cloud, _) => cloud.certificate(id).unwrap().status.is_running(),
            Self::Huawei(cloud, _) => cloud.certificate(id).unwrap().status.is_running(),
        }
    }

    /// Whether the CA refused the last application.
    pub(crate) fn is_rejected(&self, id: &str) -> bool {
        match self {
            Self::Tencent(cloud, _) => {
                cloud.certificate(id).unwrap().status == tencent::Status::REVIEW_FAILED
            }
            Self::Huawei(cloud, _) => cloud.certificate(id).unwrap().status == huawei::Status::UNPASSED,
        }
    }
}

/// Makes a test of each story for each cloud.
macro_rules! for_both_clouds {
    ($($story:ident),+ $(,)?) => {
        mod tencent {
            $(#[tokio::test] async fn $story() { super::$story(crate::clouds::Kind::Tencent).await; })+
        }
        mod huawei {
            $(#[tokio::test] async fn $story() { super::$story(crate::clouds::Kind::Huawei).await; })+
        }
    };
}
pub(crate) use for_both_clouds;
