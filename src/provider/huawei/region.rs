//! Regions, and the address of the service in each.

use std::fmt;
use std::str::FromStr;

use crate::provider::transport::{Endpoint, EndpointError};

/// The placeholder of the region in a [`Template`].
const PLACE: &str = "{region}";

/// The hosts of Huawei Cloud SCM.
const OWN: &str = "https://scm.{region}.myhuaweicloud.com";

/// Code of a region, such as `ap-southeast-1`. It becomes part of a host name, so it has no character with a
/// meaning there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Region(String);

/// Why a text is not a [`Region`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is not the code of a Huawei Cloud region; write it as ap-southeast-1 or cn-north-4")]
pub struct NotARegion(String);

impl FromStr for Region {
    type Err = NotARegion;

    /// The pattern is that of `spec.provider.huaweiCloud.region`. It is checked again, since the CRD of an older version
    /// may be installed.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let first = parts.next().unwrap_or_default();
        let others: Vec<&str> = parts.collect();
        let fits = (2..=8).contains(&first.len())
            && first.bytes().all(|byte| byte.is_ascii_lowercase())
            && (1..=4).contains(&others.len())
            && others.iter().all(|part| {
                (1..=16).contains(&part.len())
                    && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            });
        if fits { Ok(Self(text.to_owned())) } else { Err(NotARegion(text.chars().take(64).collect())) }
    }
}

/// The endpoint of the service, with the placeholder `{region}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Template(String);

impl Template {
    /// The endpoint of a region.
    pub fn fill(&self, region: &Region) -> Result<Endpoint, EndpointError> {
        self.0.replace(PLACE, &region.0).parse()
    }
}

impl Default for Template {
    fn default() -> Self {
        Self(OWN.to_owned())
    }
}

impl FromStr for Template {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let template = Self(text.to_owned());
        template.fill(&Region("ap-southeast-1".to_owned()))?;
        // Braces are allowed in a host, but here they are a typing error.
        if text.replace(PLACE, "").contains(['{', '}']) {
            return Err(EndpointError::NotAUrl(text.to_owned()));
        }
        Ok(template)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_fits_into_a_host_name() {
        for good in ["cn-north-4", "ap-southeast-1", "my-kualalumpur-1", "la-north-2", "cn-east-2a"] {
            assert!(good.parse::<Region>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "cn",
            "cn-",
            "CN-north-4",
            "1-2",
            "cn-north-4.evil.example",
            "cn-north-4/",
            "a@b-1",
            "cn-1#",
            "cn_north-4",
        ] {
            assert!(bad.parse::<Region>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_region_is_filled_into_the_clouds_hosts_or_the_given_one() {
        let region = "my-kualalumpur-1".parse().unwrap();
        let filled = |template: Template| template.fill(&region).unwrap().to_string();
        assert_eq!(filled(Template::default()), "https://scm.my-kualalumpur-1.myhuaweicloud.com");
        let templates = [
            ("https://scm.{region}.proxy.example", "https://scm.my-kualalumpur-1.proxy.example"),
            ("http://127.0.0.1:8443", "http://127.0.0.1:8443"),
        ];
        for (template, endpoint) in templates {
            assert_eq!(filled(template.parse().unwrap()), endpoint);
        }
    }

    #[test]
    fn a_template_is_an_endpoint() {
        for (text, message) in [
            ("http://scm.{region}.example", "use https"),
            ("https://scm.example/{region}", "without a path"),
            ("https://{region}@scm.example", "without a path"),
            ("https://scm.{Region}.example", "is not a URL"),
            ("http://127.0.0.1:{region}", "is not a URL"),
        ] {
            let error = text.parse::<Template>().unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
