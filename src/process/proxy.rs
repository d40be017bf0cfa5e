//! Which proxy leads to the API server of a kubeconfig. In a cluster it is always reached directly.
//!
//! The client library compares `NO_PROXY` with the address of the proxy, not with that of the server, so the choice is made
//! here.

use std::env;

use hyper_util::client::proxy::matcher::Matcher;
use kube::Config;
use kube::config::{Cluster, Kubeconfig};

use crate::provider::transport::is_loopback;

type Uri = http::Uri;

/// A proxy that cannot be used. Its URL may hold a password, so it is not repeated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "the proxy of the API server, proxy-url of the kubeconfig or HTTPS_PROXY, is not usable; write http://host:port or \
     https://host:port"
)]
pub struct NotAProxy;

/// The variables of the environment that name proxies, in upper or lower case.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables {
    https: Option<String>,
    http: Option<String>,
    all: Option<String>,
    none: Option<String>,
}

impl Variables {
    /// Those of this process.
    #[must_use]
    pub fn read() -> Self {
        let variable = |name: &str| {
            let value = env::var(name).or_else(|_| env::var(name.to_lowercase()));
            value.ok().filter(|value| !value.trim().is_empty())
        };
        Self {
            https: variable("HTTPS_PROXY"),
            http: variable("HTTP_PROXY"),
            all: variable("ALL_PROXY"),
            none: variable("NO_PROXY"),
        }
    }

    /// The proxy for a server, unless `NO_PROXY` names it.
    fn proxy(&self, server: &Uri) -> Option<&str> {
        let of_scheme = if server.scheme_str() == Some("http") { &self.http } else { &self.https };
        let proxy = of_scheme.as_ref().or(self.all.as_ref())?;
        let none = self.none.as_deref().unwrap_or_default();
        let proxied = Matcher::builder().all("http://proxy.invalid").no(none).build().intercept(server);
        proxied.is_some().then_some(proxy)
    }
}

/// Sets the proxy of a configuration, and takes user information out of the server's URL, which is logged.
pub fn choose(config: &mut Config, variables: &Variables) -> Result<(), NotAProxy> {
    let cluster = Kubeconfig::read().ok().and_then(|kubeconfig| current(&kubeconfig));
    let is_meant = |cluster: &Cluster| {
        cluster.server.as_ref().and_then(|server| server.parse().ok()).as_ref() == Some(&config.cluster_url)
    };
    config.proxy_url = match cluster.filter(is_meant) {
        Some(cluster) => proxy(&config.cluster_url, cluster.proxy_url.as_deref(), variables)?,
        None => None,
    };
    config.cluster_url = without_user_information(&config.cluster_url);
    Ok(())
}

/// The cluster of the current context.
fn current(kubeconfig: &Kubeconfig) -> Option<Cluster> {
    let name = kubeconfig.current_context.as_ref()?;
    let context = kubeconfig.contexts.iter().find(|context| context.name == *name)?.context.as_ref()?;
    kubeconfig.clusters.iter().find(|cluster| cluster.name == context.cluster)?.cluster.clone()
}

/// The proxy for a server: `proxy-url` of the kubeconfig, or else that of the environment. This machine needs none.
fn proxy(server: &Uri, own: Option<&str>, variables: &Variables) -> Result<Option<Uri>, NotAProxy> {
    if server.host().is_some_and(is_loopback) {
        return Ok(None);
    }
    let Some(text) = own.filter(|own| !own.is_empty()).or_else(|| variables.proxy(server)) else {
        return Ok(None);
    };
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let proxy: Uri = text.parse().map_err(|_| NotAProxy)?;
    let is_usable = matches!(proxy.scheme_str(), Some("http" | "https"))
        && proxy.host().is_some_and(|host| !host.is_empty());
    if is_usable { Ok(Some(proxy)) } else { Err(NotAProxy) }
}

fn without_user_information(server: &Uri) -> Uri {
    let bare = || {
        let (_, address) = server.authority()?.as_str().rsplit_once('@')?;
        let mut parts = server.clone().into_parts();
        parts.authority = Some(address.parse().ok()?);
        Uri::from_parts(parts).ok()
    };
    bare().unwrap_or_else(|| server.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = "http://user:p%40ss@proxy.example:3128";

    fn variables(https: &str, none: &str) -> Variables {
        let set = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Variables { https: set(https), none: set(none), ..Variables::default() }
    }

    fn chosen(server: &str, own: Option<&str>, variables: &Variables) -> Result<Option<String>, NotAProxy> {
        Ok(proxy(&server.parse().unwrap(), own, variables)?.map(|proxy| proxy.to_string()))
    }

    #[test]
    fn the_proxy_of_the_environment_leads_to_the_server_unless_no_proxy_names_it() {
        let found = |server: &str, none: &str| chosen(server, None, &variables(USER, none)).unwrap();
        let server = "https://api.example:6443";
        // The password is for the proxy.
        assert_eq!(found(server, ""), Some(format!("{USER}/")));
        for none in ["api.example", ".example", "example", "*", "other.example, api.example"] {
            assert_eq!(found(server, none), None, "{none}");
        }
        // The address of the proxy itself is no server.
        assert!(found(server, "proxy.example").is_some());
        assert!(found(server, "i.example").is_some());
        let address = "https://192.0.2.7:6443";
        assert_eq!(found(address, "192.0.2.0/24"), None);
        assert!(found(address, "198.51.100.0/24").is_some());
        assert!(found("http://api.example", "").is_none(), "HTTPS_PROXY is for https");
    }

    #[test]
    fn this_machine_is_reached_directly_whatever_is_set() {
        for server in
            ["https://127.0.0.1:6443", "https://localhost:6443", "https://[::1]:6443", "http://127.0.0.9"]
        {
            for own in [None, Some(USER)] {
                assert_eq!(chosen(server, own, &variables(USER, "")), Ok(None), "{server}");
            }
        }
    }

    #[test]
    fn the_proxy_of_the_kubeconfig_counts_before_that_of_the_environment() {
        let own = Some("https://own.example:3129");
        let found = chosen("https://api.example", own, &variables(USER, "api.example"));
        assert_eq!(found, Ok(Some("https://own.example:3129/".to_owned())));
        let found = chosen("https://api.example", Some(""), &variables("proxy.example:3128", ""));
        assert_eq!(found, Ok(Some("http://proxy.example:3128/".to_owned())));
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_refused_without_its_password() {
        for bad in ["socks5://user:p%40ss@proxy.example", "http://", "http://user:p ss@proxy.example"] {
            let error = chosen("https://api.example", None, &variables(bad, "")).unwrap_err();
            assert!(!error.to_string().contains("ss@"), "{error}");
        }
    }

    #[test]
    fn user_information_is_taken_out_of_the_url_of_the_server() {
        let bare = |server: &str| without_user_information(&server.parse().unwrap()).to_string();
        assert_eq!(
            bare("https://user:word@api.example:6443/clusters/c-1"),
            "https://api.example:6443/clusters/c-1"
        );
        assert_eq!(bare("https://api.example/"), "https://api.example/");
    }
}
