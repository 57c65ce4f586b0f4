//! Requests: the address, the headers, the credentials, the one repetition with a new token.
//!
//! What this is not: paging, or what an answer holds. The one invariant: credentials go to the host of `base_url` alone, or
//! in exchange for a token to that of `auth_url`.

use std::rc::Rc;

use rollcall_sdk::{Advice, Fault, Host};

use crate::answer::{self, Failure};
use crate::moment;
use crate::spec::{self, Meaning, Request, Spec};
use crate::template::{self, Unwritable, Values};

/// The API as one connection sees it.
pub(crate) struct Api<'h, H: Host> {
    pub(crate) host: &'h H,
    pub(crate) spec: Rc<Spec>,
    base: String,
    pub(crate) zone: i64,
}

/// One call: its place in the description, which names it in messages, and its values.
pub(crate) struct Call<'c> {
    pub(crate) place: &'c str,
    pub(crate) request: &'c Request,
    pub(crate) values: &'c Values,
    /// The address that the page before gave, instead of path and query.
    pub(crate) link: Option<&'c str>,
}

impl<'h, H: Host> Api<'h, H> {
    pub(crate) fn new(host: &'h H) -> Result<Self, Fault> {
        let spec = spec::load(host)?;
        let zone = spec.utc_offset.as_deref().and_then(moment::offset).unwrap_or(0);
        Ok(Self { host, spec, base: address(host, "base_url")?, zone })
    }

    /// Sends a call, once more with a new token when the token is what is refused.
    pub(crate) fn send(&self, call: &Call<'_>) -> Result<H::Response, Failure> {
        let Some(oauth2) = &self.spec.auth.oauth2 else { return self.attempt(call, None) };
        let token = self.token(oauth2)?;
        let first = self.attempt(call, Some(&token));
        if first.as_ref().is_err_and(|failure| failure.meaning == Meaning::Token) {
            self.drop_token(oauth2, &token);
            return self.attempt(call, Some(&self.token(oauth2)?));
        }
        first
    }

    fn attempt(&self, call: &Call<'_>, token: Option<&str>) -> Result<H::Response, Failure> {
        let request = self.request(call, token)?;
        let response = self.host.send(request)?;
        answer::judge(response, &self.spec, call.place)
    }

    fn request(
        &self,
        call: &Call<'_>,
        token: Option<&str>,
    ) -> Result<rollcall_sdk::Request, Failure> {
        let unwritable = |why: Unwritable| {
            let remedy = "look at what the API answered before; if it is right, it needs a connector of its own";
            Failure::invalid("value", format!("`{}`: {}", call.place, why.0), remedy)
        };
        let mut headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        headers.extend(self.credentials(token));
        for (name, text) in self.spec.headers.iter().chain(&call.request.headers) {
            let value = template::header(text, call.values, self.zone).map_err(unwritable)?;
            headers.extend(value.map(|value| (name.clone(), value)));
        }
        let mut body = String::new();
        if let Some(yaml) = &call.request.body {
            body = template::body(yaml, call.values, self.zone).map_err(unwritable)?;
            headers.push(("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned()));
        }
        Ok(rollcall_sdk::Request {
            method: call.request.method(),
            url: self.url(call)?,
            headers,
            body: body.into_bytes(),
        })
    }

    fn credentials(&self, token: Option<&str>) -> Option<(String, String)> {
        let auth = &self.spec.auth;
        let authorization =
            |scheme: &str, value: &str| ("Authorization".to_owned(), format!("{scheme} {value}"));
        if let Some(token) = token {
            return Some(authorization("Bearer", token));
        }
        if let Some(secret) = &auth.bearer {
            return Some(authorization("Bearer", &format!("{{secret:{secret}}}")));
        }
        if let Some(secret) = &auth.basic {
            return Some(authorization("Basic", &format!("{{secret:{secret}}}")));
        }
        auth.header.as_ref().map(|header| (header.name.clone(), header.value.clone()))
    }

    fn url(&self, call: &Call<'_>) -> Result<String, Failure> {
        let path = template::path(call.request.path(), call.values, self.zone);
        if let Some(link) = call.link {
            return resolve(&self.base, &path, link).ok_or_else(|| {
                Failure::invalid(
                    "link",
                    format!("`{}`: the next page is at another host than `base_url`", call.place),
                    "set `base_url` to the host that the API itself names in its links",
                )
            });
        }
        let pairs: Vec<String> = call
            .request
            .query
            .iter()
            .flat_map(|(name, text)| template::query(name, &text.0, call.values, self.zone))
            .collect();
        let sign = if pairs.is_empty() { "" } else { "?" };
        Ok(format!("{}{path}{sign}{}", self.base, pairs.join("&")))
    }
}

/// The setting with an address, without a slash at its end.
pub(crate) fn address(host: &impl Host, name: &str) -> Result<String, Fault> {
    let text = host.setting(name).unwrap_or_default();
    let base = text.trim().trim_end_matches('/');
    let rest = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.contains(['?', '#', '@', ' ', '{']) => {
            Ok(base.to_owned())
        }
        _ => Err(Fault::Invalid(Advice {
            code: format!("setting:{name}"),
            ..Advice::new(
                "setting",
                format!("the setting `{name}` is no address"),
                "write scheme, host and path in the settings of this connection, such as https://hr.example.com/api",
            )
        })),
    }
}

/// The address of a link that stays at the host of `base`; `path` is where the link was found.
fn resolve(base: &str, path: &str, link: &str) -> Option<String> {
    let start = base.find("://")? + 3;
    let end = base[start..].find('/').map_or(base.len(), |at| start + at);
    let origin = &base[..end];
    if link.contains(['{', ' ']) || link.chars().any(char::is_control) {
        return None;
    }
    if link.starts_with('?') {
        return Some(format!("{base}{path}{link}"));
    }
    if link.starts_with('/') && !link.starts_with("//") {
        return Some(format!("{origin}{link}"));
    }
    let rest = link.strip_prefix(origin)?;
    (rest.is_empty() || rest.starts_with(['/', '?'])).then(|| link.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_stays_at_the_host_of_the_api() {
        let at = |link| resolve("https://a.test/api", "/people", link);
        assert_eq!(at("?page=2").as_deref(), Some("https://a.test/api/people?page=2"));
        assert_eq!(at("/api/people?page=2").as_deref(), Some("https://a.test/api/people?page=2"));
        assert_eq!(at("https://a.test/x").as_deref(), Some("https://a.test/x"));
        for stray in [
            "https://b.test/x",
            "https://a.test.b.test/x",
            "http://a.test/x",
            "//b.test/x",
            "https://a.test/{secret:token}",
            "people?page=2",
        ] {
            assert_eq!(at(stray), None, "{stray}");
        }
    }
}
