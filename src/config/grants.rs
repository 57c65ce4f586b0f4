//! The section `grants`: what a connection's plugin may reach. Nothing that is not here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Hosts that a plugin may talk to, if its manifest asks for them too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grants {
    /// Public hosts, reached by HTTPS on port 443.
    pub hosts: Vec<HostName>,
    /// Hosts in private networks and on this machine, each with its port; these may be plain HTTP.
    pub private: Vec<Endpoint>,
}

/// Why a text is no host or endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// Not a plain host name.
    #[error(
        "`{0}` is no host; write its bare name in lower case, such as `open.feishu.cn`: no scheme, port, path or `*`"
    )]
    Host(String),
    /// Not a host with a port.
    #[error("`{0}` is no host with a port; write both, such as `127.0.0.1:7001`")]
    Endpoint(String),
}

/// A host name: lower case, no scheme, port, path or wildcard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostName(String);

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint {
    host: String,
    port: u16,
}

impl HostName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Endpoint {
    /// The name or address, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

impl FromStr for HostName {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        if is_name(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(GrantError::Host(text.to_owned()))
        }
    }
}

impl FromStr for Endpoint {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        let wrong = || GrantError::Endpoint(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port: u16 = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        match address {
            Some(v6) if v6.parse::<std::net::Ipv6Addr>().is_ok() => {
                Ok(Self { host: v6.to_owned(), port })
            }
            None if is_name(host) => Ok(Self { host: host.to_owned(), port }),
            Some(_) | None => Err(wrong()),
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

super::through_text!(GrantError: HostName, Endpoint);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_one_host_and_never_a_pattern() {
        assert_eq!("open.feishu.cn".parse::<HostName>().unwrap().as_str(), "open.feishu.cn");
        for bad in [
            "https://open.feishu.cn",
            "open.feishu.cn:443",
            "*.feishu.cn",
            "Open.feishu.cn",
            "",
            "a..b",
            "-a",
        ] {
            assert!(bad.parse::<HostName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_private_grant_names_its_port() {
        assert_eq!(
            "[::1]:7001".parse::<Endpoint>().map(|e| (e.host().to_owned(), e.port())),
            Ok(("::1".into(), 7001))
        );
        assert_eq!("127.0.0.1:7001".parse::<Endpoint>().unwrap().to_string(), "127.0.0.1:7001");
        assert_eq!("[::1]:7001".parse::<Endpoint>().unwrap().to_string(), "[::1]:7001");
        for bad in ["127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", "::1:7001", "http://a:1", ":1"] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }
}
