//! How much of a cloud's rate limit is used while first submissions wait, and whether accounts delay each other.

use std::fmt;
use std::time::Duration;

use certorder::api::v1alpha1::CertificateOrder;
use certorder::core::age;
use certorder_sim::proxy::{Proxy, Upstream};
use certorder_sim::tencent::{Account, Call, Fault, Options, Product, TencentCloud};
use k8s_openapi::api::core::v1::Secret;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::Target;
use super::environment::{Environment, Sandbox};

/// The calls per second that Tencent Cloud allows for each account and action.
const LIMIT: f64 = 10.0;
const SUBMIT: &str = "CertificateInfoSubmit";
const ACTIONS: [&str; 3] = ["DescribeCertificate", SUBMIT, "CertificateOrderSubmit"];
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The other account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Beside {
    /// None.
    Nobody,
    /// An account with as many orders.
    Another,
    /// An account with as many orders, whose calls are never answered.
    Hanging,
    /// An account with as many orders, whose calls are all throttled.
    Throttled,
}

/// Every case that is measured.
pub(crate) const CASES: [Beside; 4] = [Beside::Nobody, Beside::Another, Beside::Hanging, Beside::Throttled];

/// The figures of one account.
pub(crate) struct Figures {
    account: &'static str,
    beside: Beside,
    orders: usize,
    submitted: usize,
    /// From the start of the process to the last first submission, in seconds.
    seconds: f64,
    /// For each action: calls, the most in any one second, throttled.
    actions: Vec<(&'static str, usize, usize, usize)>,
    /// The share of the limit that was used between the first and the last first submission.
    pub(crate) share: f64,
}

/// An account and its key.
struct Holder {
    name: &'static str,
    account: Account,
}

/// Measures the orders of one account, with another account beside it.
pub(crate) async fn measure(
    target: &Target,
    beside: Beside,
    orders: usize,
    flags: &[&str],
    timeout: Duration,
) -> Vec<Figures> {
    let environment = Environment::with(target, Vec::new()).await;
    let sandbox = environment.sandbox().await;
    let cloud = TencentCloud::start(Options::default()).await.unwrap();
    let mut holders = vec![set_up(&sandbox, &cloud, "first", orders).await];
    if beside != Beside::Nobody {
        holders.push(set_up(&sandbox, &cloud, "second", orders).await);
    }
    for number in 0..orders {
        let fault = match beside {
            Beside::Nobody | Beside::Another => break,
            Beside::Hanging => Fault::reply_late(Duration::from_hours(1)),
            Beside::Throttled => Fault::throttled(),
        };
        cloud.fault(fault.certificate(&id("second", number)).always());
    }
    let proxy = Proxy::start(Upstream::http(&cloud.url()).unwrap()).await.unwrap();
    let mut all = flags.to_vec();
    let url = proxy.url();
    all.extend(["--tencent-endpoint", url.as_str()]);
    let start = certorder::core::clock::Clock::default().now();
    let mut replica = sandbox.operator(&all).await;
    let is_faulty = matches!(beside, Beside::Hanging | Beside::Throttled);
    let since = Instant::now();
    let waits = |holder: &Holder| submissions(&cloud, &holder.account).len() < orders;
    while since.elapsed() < timeout && holders.iter().take(if is_faulty { 1 } else { 2 }).any(waits) {
        sleep(POLL_INTERVAL).await;
    }
    replica.kill();
    let figures = holders.iter().map(|holder| figures(&cloud, holder, beside, orders, start));
    figures.collect()
}

/// Creates an account, and applies an order for each certificate that is bought for it.
async fn set_up(sandbox: &Sandbox<'_>, cloud: &TencentCloud, name: &'static str, orders: usize) -> Holder {
    let (key_id, secret_key) = (format!("AKID{name}"), format!("secret-key-of-{name}"));
    let account = cloud.account(&key_id, &secret_key);
    let secret =
        json!({"metadata": {"name": name}, "stringData": {"secretId": key_id, "secretKey": secret_key}});
    sandbox.create::<Secret>(secret).await;
    for number in 0..orders {
        let id = id(name, number);
        cloud.buy(&account, &id, Product::DV_SINGLE);
        let order = json!({
            "metadata": {"name": id},
            "spec": {
                "provider": {"tencentCloud": {"certificateId": id, "contactEmail": "pki@acme.example"}},
                "credentialsRef": {"name": name},
                "commonName": format!("{id}.acme.example"),
                "privateKey": {"source": "Cloud", "algorithm": "ECDSA"},
            },
        });
        sandbox.create::<CertificateOrder>(order).await;
    }
    Holder { name, account }
}

fn id(account: &str, number: usize) -> String {
    format!("{account}-{number:05}")
}

/// The first submissions that took effect.
fn submissions(cloud: &TencentCloud, account: &Account) -> Vec<Call> {
    let of_this =
        |call: &Call| call.action == SUBMIT && call.took_effect && call.account.as_ref() == Some(account);
    cloud.ledger().into_iter().filter(of_this).collect()
}

fn figures(
    cloud: &TencentCloud,
    holder: &Holder,
    beside: Beside,
    orders: usize,
    start: jiff::Timestamp,
) -> Figures {
    let submits = submissions(cloud, &holder.account);
    let times: Vec<jiff::Timestamp> = submits.iter().map(|call| call.time).collect();
    let between = |from: jiff::Timestamp, to: jiff::Timestamp| age::left(from, to).as_secs_f64();
    let last = times.last().copied().unwrap_or(start);
    let span = times.first().map_or(0.0, |first| between(*first, last));
    let intervals = u32::try_from(times.len().saturating_sub(1)).unwrap();
    let actions = ACTIONS.iter().map(|action| {
        let pace = cloud.pace(&holder.account, action);
        (*action, pace.calls, pace.highest_in_one_second, pace.rejected)
    });
    Figures {
        account: holder.name,
        beside,
        orders,
        submitted: times.len(),
        seconds: between(start, last),
        actions: actions.collect(),
        share: if span > 0.0 { f64::from(intervals) / span / LIMIT } else { 0.0 },
    }
}

impl Figures {
    /// What is wrong with these figures of an account whose calls are answered.
    pub(crate) fn wrongs(&self, least_share: f64) -> Vec<String> {
        let mut wrongs = Vec::new();
        if self.submitted < self.orders {
            wrongs.push(format!("{} of {} orders were submitted", self.submitted, self.orders));
        }
        if self.share < least_share {
            wrongs.push(format!(
                "{:.0} % of the limit was used, not {:.0} %",
                self.share * 100.0,
                least_share * 100.0
            ));
        }
        for (action, _, highest, refused) in &self.actions {
            if *highest > 10 || *refused > 0 {
                wrongs.push(format!("{action}: {highest} in one second, {refused} refused"));
            }
        }
        wrongs
            .iter()
            .map(|wrong| format!("the {} account beside {:?}: {wrong}", self.account, self.beside))
            .collect()
    }

    /// Whether the cloud answers this account normally.
    pub(crate) fn is_served(&self) -> bool {
        self.account == "first" || self.beside == Beside::Another
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} account beside {:?}: {} of {} first submissions in {:.1} s, {:.0} % of the limit",
            self.account,
            self.beside,
            self.submitted,
            self.orders,
            self.seconds,
            self.share * 100.0
        )?;
        for (action, calls, highest, refused) in &self.actions {
            write!(f, "\n  {action}: {calls} calls, at most {highest} in one second, {refused} refused")?;
        }
        Ok(())
    }
}
