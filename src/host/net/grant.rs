//! Which hosts a plugin may talk to: what its manifest asks for and what the tenant grants; both must name the host.
//!
//! The invariant: plain `http` and addresses inside a network need a grant that says so.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use super::address::is_public;

/// A host, and a port when it is not the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::host) struct HostRule {
    host: Host<String>,
    port: Option<u16>,
}

impl HostRule {
    /// Reads `host`, `host:port` or the host of a URL.
    pub(in crate::host) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (url, port) = if text.contains("://") {
            let url = Url::parse(text).ok()?;
            let port = url.port_or_known_default();
            (url, port)
        } else {
            // The parser drops a port that is its scheme's own, so whether one was written is read off the text.
            let bare = !text.contains(['/', '\\', '?', '#']);
            let url = Url::parse(&format!("ws://{text}")).ok().filter(|_| bare)?;
            let explicit =
                text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
            let port = url.port_or_known_default().filter(|_| explicit);
            (url, port)
        };
        let host = canonical(&url.host()?);
        let plain = url.username().is_empty() && url.password().is_none();
        let named = plain && !host.to_string().contains(['*', '{']);
        named.then_some(Self { host, port })
    }

    fn covers(&self, target: &Endpoint) -> bool {
        let port = self.port.unwrap_or(target.default_port());
        self.host == target.host && port == target.port
    }
}

fn canonical(host: &Host<&str>) -> Host<String> {
    match host {
        Host::Domain(name) => Host::Domain(name.trim_end_matches('.').to_ascii_lowercase()),
        Host::Ipv4(ip) => Host::Ipv4(*ip),
        Host::Ipv6(ip) => match IpAddr::V6(*ip).to_canonical() {
            IpAddr::V4(ip) => Host::Ipv4(ip),
            IpAddr::V6(ip) => Host::Ipv6(ip),
        },
    }
}

/// Why a grant cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no host to grant; write `open.example.com`, `open.example.com:8443`, `127.0.0.1:7001`, or \
     `private:ehr.corp:8443` for a name inside your network"
)]
pub struct GrantError {
    /// What was written.
    pub text: String,
}

/// A host that a tenant lets a connection talk to.
///
/// A name grants public addresses over `https` only. An address that is not public, or a name after `private:`, grants that
/// host wherever it is, over `http` too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    rule: HostRule,
    inside: bool,
}

impl Grant {
    /// Reads a grant.
    ///
    /// # Errors
    /// [`GrantError`] when `text` names no host.
    pub fn parse(text: &str) -> Result<Self, GrantError> {
        let error = || GrantError { text: text.to_owned() };
        let (rest, private) = match text.trim().strip_prefix("private:") {
            Some(rest) => (rest, true),
            None => (text.trim(), false),
        };
        if rest.contains('/') {
            return Err(error());
        }
        let rule = HostRule::parse(rest).ok_or_else(error)?;
        let inside = private || literal(&rule.host).is_some_and(|ip| !is_public(ip));
        Ok(Self { rule, inside })
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inside && literal(&self.rule.host).is_none() {
            f.write_str("private:")?;
        }
        write!(f, "{}", self.rule.host)?;
        self.rule.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

fn literal(host: &Host<String>) -> Option<IpAddr> {
    match host {
        Host::Domain(_) => None,
        Host::Ipv4(ip) => Some(IpAddr::V4(*ip)),
        Host::Ipv6(ip) => Some(IpAddr::V6(*ip)),
    }
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::host) struct Endpoint {
    secure: bool,
    host: Host<String>,
    port: u16,
}

impl Endpoint {
    /// The endpoint of an `http` or `https` URL without credentials.
    pub(in crate::host) fn of(url: &Url) -> Option<Self> {
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        Self::at(url, secure)
    }

    /// The endpoint of a `ws` or `wss` URL without credentials.
    pub(in crate::host) fn of_socket(url: &Url) -> Option<Self> {
        let secure = match url.scheme() {
            "wss" => true,
            "ws" => false,
            _ => return None,
        };
        Self::at(url, secure)
    }

    fn at(url: &Url, secure: bool) -> Option<Self> {
        let plain = url.username().is_empty() && url.password().is_none();
        let host = canonical(&url.host()?);
        let port = url.port_or_known_default()?;
        plain.then_some(Self { secure, host, port })
    }

    fn default_port(&self) -> u16 {
        if self.secure { 443 } else { 80 }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.host)?;
        if self.port == self.default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// How a granted request may travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum Route {
    /// To public addresses only.
    Public,
    /// To the address the grant names, wherever it is.
    Inside,
}

/// What one connection may reach.
#[derive(Clone, Debug)]
pub(in crate::host) struct Reach {
    asked: Vec<HostRule>,
    granted: Vec<Grant>,
}

impl Reach {
    pub(in crate::host) fn new(asked: Vec<HostRule>, granted: Vec<Grant>) -> Self {
        Self { asked, granted }
    }

    /// How a request to `target` may travel; `None` when it may not.
    pub(in crate::host) fn route(&self, target: &Endpoint) -> Option<Route> {
        let asked = self.asked.iter().any(|rule| rule.covers(target));
        if asked { self.granted(target) } else { None }
    }

    /// How the host itself may travel to an address that a platform named: the manifest cannot foresee it, the tenant grants it.
    pub(in crate::host) fn granted(&self, target: &Endpoint) -> Option<Route> {
        let mut grants = self.granted.iter().filter(|grant| grant.rule.covers(target));
        let first = grants.next()?;
        if first.inside || grants.any(|grant| grant.inside) {
            return Some(Route::Inside);
        }
        target.secure.then_some(Route::Public)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(asked: &[&str], granted: &[&str], url: &str) -> Option<Route> {
        let reach = Reach::new(
            asked.iter().map(|it| HostRule::parse(it).unwrap()).collect(),
            granted.iter().map(|it| Grant::parse(it).unwrap()).collect(),
        );
        reach.route(&Endpoint::of(&Url::parse(url).unwrap())?)
    }

    #[test]
    fn both_the_manifest_and_the_tenant_must_name_the_host() {
        let host = ["open.example.com"];
        assert_eq!(route(&host, &host, "https://open.example.com/x"), Some(Route::Public));
        assert_eq!(route(&host, &host, "https://OPEN.example.com.:443/"), Some(Route::Public));
        assert_eq!(route(&host, &[], "https://open.example.com/"), None);
        assert_eq!(route(&[], &host, "https://open.example.com/"), None);
        for url in [
            "https://example.com/",
            "https://a.open.example.com/",
            "https://open.example.com.evil.test/",
            "https://open.example.com:8443/",
            "http://open.example.com/",
            "ftp://open.example.com/",
            "https://open.example.com@evil.test/",
            "https://u:p@open.example.com/",
        ] {
            assert_eq!(route(&host, &host, url), None, "{url}");
        }
    }

    #[test]
    fn an_address_that_the_platform_names_needs_the_tenant_alone() {
        let reach = Reach::new(
            Vec::new(),
            ["ws.example.com", "127.0.0.1:7001"].map(|it| Grant::parse(it).unwrap()).into(),
        );
        let route = |url: &str| reach.granted(&Endpoint::of_socket(&Url::parse(url).unwrap())?);
        assert_eq!(route("wss://ws.example.com/ws/v2?x=1"), Some(Route::Public));
        assert_eq!(route("wss://ws.example.com:443/connect"), Some(Route::Public));
        assert_eq!(route("ws://127.0.0.1:7001/ws"), Some(Route::Inside));
        for url in [
            "ws://ws.example.com/",
            "wss://other.example.com/",
            "wss://ws.example.com:8443/",
            "https://ws.example.com/",
            "wss://u:p@ws.example.com/",
            "ws://127.0.0.1:7002/",
        ] {
            assert_eq!(route(url), None, "{url}");
        }
    }

    #[test]
    fn an_address_inside_needs_a_grant_that_names_it() {
        let asked = ["http://127.0.0.1:7001/"];
        assert_eq!(
            route(&asked, &["127.0.0.1:7001"], "http://127.0.0.1:7001/a"),
            Some(Route::Inside)
        );
        assert_eq!(
            route(&asked, &["127.0.0.1:7001"], "http://2130706433:7001/"),
            Some(Route::Inside)
        );
        assert_eq!(
            route(&asked, &["127.0.0.1:7001"], "http://[::ffff:127.0.0.1]:7001/"),
            Some(Route::Inside)
        );
        assert_eq!(route(&asked, &["127.0.0.1:7002"], "http://127.0.0.1:7001/"), None);
        assert_eq!(route(&asked, &["127.0.0.1"], "http://127.0.0.1:7001/"), None);
        let name = ["ehr.corp:8443"];
        assert_eq!(route(&name, &name, "https://ehr.corp:8443/"), Some(Route::Public));
        assert_eq!(
            route(&name, &["private:ehr.corp:8443"], "http://ehr.corp:8443/"),
            Some(Route::Inside)
        );
    }

    #[test]
    fn a_default_port_that_is_written_out_is_kept() {
        assert_eq!(route(&["a.test:80"], &["a.test:80"], "https://a.test/"), None);
        assert_eq!(
            route(&["10.0.0.1:80"], &["10.0.0.1:80"], "http://10.0.0.1/"),
            Some(Route::Inside)
        );
        assert_eq!(route(&["[fd00::1]"], &["[fd00::1]"], "http://[fd00::1]/"), Some(Route::Inside));
    }

    #[test]
    fn what_names_no_host_is_no_grant() {
        for text in [
            "",
            "*",
            "*.example.com",
            "https://a.test",
            "a.test/x",
            "u@a.test",
            "a b",
            "a:x",
            "{setting:x}",
        ] {
            assert!(Grant::parse(text).is_err(), "{text:?}");
        }
        for text in ["a.test", "a.test:8443", "127.0.0.1:7001", "private:a.test:80", "[fd00::1]:80"]
        {
            assert_eq!(Grant::parse(text).unwrap().to_string(), text);
        }
    }
}
