//! The command line. Every flag of `run` is also an environment variable, and everything is checked here once.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::provider::huawei::region::Template;
use crate::provider::transport::Endpoint;

/// Orders paid SSL certificates at Tencent Cloud SSL and Huawei Cloud SCM from Kubernetes resources.
#[derive(Parser, Debug)]
#[command(version, about, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the controller.
    Run(Box<Config>),
    /// Print both CustomResourceDefinitions as YAML.
    Crds {
        /// Write one file for each into this directory instead.
        #[arg(long, value_name = "DIR")]
        write: Option<PathBuf>,
    },
    /// Ask a running operator whether it is ready; fails if it is not.
    Probe {
        /// For example `http://certorder.certorder:8080/readyz`.
        url: String,
    },
}

/// How the controller runs. The cluster is that of `KUBECONFIG`, or the one that the process runs in.
#[derive(Args, Clone, Debug)]
#[command(mut_args(switch))]
pub struct Config {
    /// Watch this namespace only; repeat the flag for more (in the variable: separated by commas). Default: all.
    #[arg(
        long = "watch-namespace",
        value_parser = namespace,
        env = "CERTORDER_WATCH_NAMESPACE",
        value_name = "NAMESPACE",
        value_delimiter = ','
    )]
    pub watch_namespaces: Vec<String>,

    /// How many orders of one account (the Secret that `credentialsRef` names) are worked at the same time.
    #[arg(long, env = "CERTORDER_CONCURRENCY", default_value = "32", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub concurrency: u16,

    /// Calls a second that Tencent Cloud allows for each account and action; 95 % of it are used.
    #[arg(long, env = "CERTORDER_TENCENT_RATE_LIMIT", default_value = "10")]
    pub tencent_rate_limit: NonZeroU32,

    /// Calls a second that Huawei Cloud allows for each account and action; 95 % of it are used.
    #[arg(long, env = "CERTORDER_HUAWEI_RATE_LIMIT", default_value = "5")]
    pub huawei_rate_limit: NonZeroU32,

    /// How many orders of one namespace may run at the same time; one more waits until one of them is issued or ends.
    /// Default: as many as there are.
    #[arg(long, env = "CERTORDER_MAX_ORDERS_PER_NAMESPACE", value_name = "COUNT")]
    pub max_orders_per_namespace: Option<NonZeroUsize>,

    /// A prefix of labels and annotations that `spec.secretTemplate` may set beside keys without a prefix and those of
    /// `app.kubernetes.io/`, such as `acme.example`; repeat the flag for more (in the variable: separated by commas). Programs
    /// of the cluster may act on such keys, and copy a Secret elsewhere.
    #[arg(
        long = "secret-template-prefix",
        value_parser = prefix,
        env = "CERTORDER_SECRET_TEMPLATE_PREFIX",
        value_name = "PREFIX",
        value_delimiter = ','
    )]
    pub secret_template_prefixes: Vec<String>,

    /// Write TXT values of a `DNSEndpoint` in quotes, for a DNS service that external-dns gives them to as they are and that asks
    /// for quotes (Route 53, `PowerDNS`). Most take them without.
    #[arg(long, env = "CERTORDER_DNS_ENDPOINT_QUOTE_TXT", default_value_t = false)]
    pub dns_endpoint_quote_txt: bool,

    /// The shortest pause between two looks at a running order; it grows with the age of the last change.
    #[arg(long, env = "CERTORDER_POLL_INTERVAL", default_value = "30s", value_parser = duration, value_name = "TIME")]
    pub poll_interval: Duration,

    /// The longest that one call to a cloud may take.
    #[arg(long, env = "CERTORDER_CALL_TIMEOUT", default_value = "20s", value_parser = duration, value_name = "TIME")]
    pub call_timeout: Duration,

    /// How much of a certificate's life must be left for Tencent Cloud to reissue it, with renewal policy Reissue.
    #[arg(long, env = "CERTORDER_TENCENT_REISSUE_BAR", default_value = "720h", value_parser = span, value_name = "TIME")]
    pub tencent_reissue_bar: Duration,

    /// Call this address instead of both Tencent sites' own, for tests: https, or http on a loopback address.
    #[arg(long, env = "CERTORDER_TENCENT_ENDPOINT", value_name = "URL")]
    pub tencent_endpoint: Option<Endpoint>,

    /// Whether only the replica that holds the Lease `certorder` works. Off: every replica works, and paces its calls
    /// by itself; one certificate is submitted once all the same.
    #[arg(long, env = "CERTORDER_LEADER_ELECT", default_value_t = true)]
    pub leader_elect: bool,

    /// The namespace of that Lease. Default: the one of the pod, or of the kubeconfig's context.
    #[arg(long, env = "CERTORDER_LEASE_NAMESPACE", value_parser = namespace, value_name = "NAMESPACE")]
    pub lease_namespace: Option<String>,

    /// The namespace of the claims: one Lease for each paid certificate, so that it is submitted once, whatever the number of
    /// installations in the cluster. All of them must name the same one.
    #[arg(
        long,
        env = "CERTORDER_CLAIMS_NAMESPACE",
        value_parser = namespace,
        value_name = "NAMESPACE",
        default_value = "certorder-claims"
    )]
    pub claims_namespace: String,

    /// Call this address instead of the regions' own; `{region}` in it is filled in. https, or http on a loopback
    /// address.
    #[arg(long, env = "CERTORDER_HUAWEI_ENDPOINT", value_name = "URL")]
    pub huawei_endpoint: Option<Template>,

    /// The name of the operator's own Pod, for an Event where something cannot be watched for minutes. Without it there is none.
    #[arg(long, env = "CERTORDER_POD_NAME", value_name = "NAME")]
    pub pod_name: Option<String>,

    /// The namespace of that Pod.
    #[arg(long, env = "CERTORDER_POD_NAMESPACE", value_parser = namespace, value_name = "NAMESPACE", requires = "pod_name")]
    pub pod_namespace: Option<String>,

    /// The UID of that Pod.
    #[arg(long, env = "CERTORDER_POD_UID", value_name = "UID", requires = "pod_name")]
    pub pod_uid: Option<String>,

    /// Where /livez, /readyz and /metrics are served.
    #[arg(long, env = "CERTORDER_HTTP_ADDRESS", default_value = "0.0.0.0:8080", value_name = "HOST:PORT")]
    pub http_address: SocketAddr,

    /// The form of log lines.
    #[arg(long, env = "CERTORDER_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// What is logged: error, warn, info, debug, trace, or a filter such as `certorder=debug,kube=info`.
    #[arg(long, env = "CERTORDER_LOG_LEVEL", default_value = "info", value_name = "LEVEL")]
    pub log_level: String,
}

/// The form of log lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// A flag of yes or no: on by its name alone, and it takes `=false` and `=true`.
fn switch(flag: Arg) -> Arg {
    if !matches!(flag.get_action(), ArgAction::SetTrue) {
        return flag;
    }
    flag.default_missing_value("true").num_args(0..=1).require_equals(true).action(ArgAction::Set)
}

/// The name of a namespace: a DNS label.
fn namespace(text: &str) -> Result<String, String> {
    let is_label = (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    if is_label {
        Ok(text.to_owned())
    } else {
        Err("a namespace is a lower-case name such as shop; leave the flag out to watch all of them"
            .to_owned())
    }
}

/// The prefix of a label or annotation: a DNS name, with its `/` or without.
fn prefix(text: &str) -> Result<String, String> {
    let name = text.strip_suffix('/').unwrap_or(text);
    let is_label = |label: &str| {
        let edges = [label.bytes().next(), label.bytes().last()];
        let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        edges.iter().all(|edge| edge.is_some_and(is_word)) && label.bytes().all(|b| is_word(b) || b == b'-')
    };
    if name.len() > 253 || !name.split('.').all(is_label) {
        return Err(
            "a prefix is what stands before the / of a label or annotation, such as acme.example".to_owned()
        );
    }
    if matches!(name, "certorder.dev" | "kubernetes.io") {
        return Err(format!("keys of {name}/ are never set by a template"));
    }
    Ok(name.to_owned())
}

/// A time such as `30s`, `500ms` or `2m`, between 100 ms and 1 h.
fn duration(text: &str) -> Result<Duration, String> {
    let time = parsed(text, "30s, 500ms or 2m")?;
    let allowed = Duration::from_millis(100)..=Duration::from_hours(1);
    { time }.filter(|time| allowed.contains(time)).ok_or_else(|| "must be between 100ms and 1h".to_owned())
}

/// A part of a certificate's life.
fn span(text: &str) -> Result<Duration, String> {
    let time = parsed(text, "720h")?;
    { time }
        .filter(|time| *time <= Duration::from_hours(24 * 400))
        .ok_or_else(|| "must be between 0h and 9600h".to_owned())
}

/// A time; `None` for a negative one.
fn parsed(text: &str, example: &str) -> Result<Option<Duration>, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|_| format!("write a time such as {example}"))?;
    Ok(Duration::try_from(span).ok())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn run(flags: &[&str]) -> Result<Config, String> {
        match Cli::try_parse_from(["certorder", "run"].iter().chain(flags)) {
            Ok(Cli { command: Command::Run(config) }) => Ok(*config),
            Ok(other) => Err(format!("{other:?}")),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_documentation() {
        Cli::command().debug_assert();
        let config = run(&[]).unwrap();
        assert_eq!(config.concurrency, 32);
        assert_eq!((config.tencent_rate_limit.get(), config.huawei_rate_limit.get()), (10, 5));
        assert_eq!((config.poll_interval.as_secs(), config.call_timeout.as_secs()), (30, 20));
        assert_eq!(config.http_address.port(), 8080);
        assert_eq!((config.leader_elect, config.lease_namespace), (true, None));
        assert_eq!(config.claims_namespace, "certorder-claims");
    }

    #[test]
    fn prefixes_are_taken_with_or_without_their_slash() {
        let config =
            run(&["--secret-template-prefix=a.example,b.example/", "--secret-template-prefix", "local"]);
        assert_eq!(config.unwrap().secret_template_prefixes, ["a.example", "b.example", "local"]);
    }

    #[test]
    fn leader_election_is_switched_off_with_an_equals_sign() {
        let cases: [(&[&str], bool); 3] = [
            (&["--leader-elect"], true),
            (&["--leader-elect=false"], false),
            (&["--leader-elect=true"], true),
        ];
        for (flags, wanted) in cases {
            assert_eq!(run(flags).unwrap().leader_elect, wanted, "{flags:?}");
        }
        assert!(run(&["--leader-elect", "false"]).is_err());
    }

    #[test]
    fn what_cannot_work_is_refused_at_the_start() {
        let cases = [
            (["--call-timeout", "20"], "write a time such as 30s"),
            (["--poll-interval", "1ms"], "must be between 100ms and 1h"),
            (["--watch-namespace", ""], "leave the flag out to watch all"),
            (["--secret-template-prefix", ""], "such as acme.example"),
            (["--secret-template-prefix", "acme.example/team"], "such as acme.example"),
            (["--secret-template-prefix", "*.acme.example"], "such as acme.example"),
            (["--secret-template-prefix", "certorder.dev/"], "never set by a template"),
            (["--secret-template-prefix", "a.example,kubernetes.io"], "never set by a template"),
            (["--concurrency", "0"], "0 is not in 1..=1024"),
            (["--tencent-rate-limit", "0"], "zero"),
            (["--tencent-endpoint", "http://ssl.example"], "use https"),
            (["--huawei-rate-limit", "0"], "zero"),
            (["--huawei-endpoint", "http://scm.{region}.example"], "use https"),
            (["--huawei-endpoint", "https://scm.example/{region}"], "without a path"),
        ];
        for (flags, message) in cases {
            let error = run(&flags).unwrap_err();
            assert!(error.contains(message), "{flags:?}: {error}");
        }
    }
}
