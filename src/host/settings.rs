//! A connection's settings against what the plugin's manifest declares, and the hosts that follow from them.
//!
//! The invariant: what a guest reads as a setting is declared in its manifest.

use std::collections::BTreeMap;

use super::error::HostError;
use super::manifest::Manifest;
use super::net::grant::HostRule;

/// The settings with the manifest's defaults filled in.
pub(super) fn filled(
    manifest: &Manifest,
    mut given: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, HostError> {
    if let Some(setting) = given.keys().find(|name| manifest.setting(name).is_none()) {
        return Err(unknown(manifest, setting));
    }
    for ask in &manifest.settings {
        if let Some(default) = &ask.default {
            given.entry(ask.name.clone()).or_insert_with(|| default.clone());
        }
        if ask.required && !given.contains_key(&ask.name) {
            return Err(HostError::MissingSetting {
                plugin: manifest.name.clone(),
                setting: ask.name.clone(),
                about: ask.about.clone(),
            });
        }
    }
    Ok(given)
}

fn unknown(manifest: &Manifest, setting: &str) -> HostError {
    let known: Vec<_> = manifest.settings.iter().map(|it| format!("`{}`", it.name)).collect();
    HostError::UnknownSetting {
        plugin: manifest.name.clone(),
        setting: setting.to_owned(),
        known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
    }
}

/// The hosts that the manifest asks for; one that depends on a setting nobody made is left out.
pub(super) fn hosts(
    manifest: &Manifest,
    settings: &BTreeMap<String, String>,
) -> Result<Vec<HostRule>, HostError> {
    let filled = manifest.hosts.iter().filter_map(|text| with_settings(text, settings));
    filled
        .map(|host| {
            HostRule::parse(&host)
                .ok_or_else(|| HostError::Host { plugin: manifest.name.clone(), host })
        })
        .collect()
}

/// A text with the settings it names filled in; `None` when one is not set.
pub(super) fn with_settings(text: &str, settings: &BTreeMap<String, String>) -> Option<String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("{setting:") {
        // Without an end it is no placeholder and, further on, no host.
        let Some((name, after)) = after.split_once('}') else { return Some(text.to_owned()) };
        out.push_str(before);
        out.push_str(settings.get(name)?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(json: &str) -> Manifest {
        let text = format!(r#"{{"name":"p","version":"1","contract":"0.1.0",{json}}}"#);
        Manifest::parse(Some(text.as_bytes())).unwrap()
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn defaults_fill_in_and_what_is_required_must_be_there() {
        let manifest = manifest(
            r#""settings":[{"name":"host","default":"a.test"},{"name":"app_id","about":"the app","required":true}]"#,
        );
        let given = map(&[("app_id", "cli_1")]);
        assert_eq!(
            filled(&manifest, given).unwrap(),
            map(&[("app_id", "cli_1"), ("host", "a.test")])
        );
        let missing = filled(&manifest, map(&[])).unwrap_err();
        assert!(missing.to_string().contains("`app_id` (the app)"), "{missing}");
        let unknown = filled(&manifest, map(&[("app-id", "x")])).unwrap_err();
        assert!(
            unknown.to_string().contains("no setting `app-id`; it has `host`, `app_id`"),
            "{unknown}"
        );
    }

    #[test]
    fn hosts_come_from_settings_that_are_hosts_or_urls() {
        let manifest = manifest(r#""hosts":["open.a.test","{setting:host}","{setting:other}"]"#);
        let hosts = |value| hosts(&manifest, &map(&[("host", value)]));
        assert_eq!(
            hosts("http://127.0.0.1:7001/api").unwrap()[1],
            HostRule::parse("127.0.0.1:7001").unwrap()
        );
        assert_eq!(hosts("b.test").unwrap().len(), 2);
        let wrong = hosts("not a host").unwrap_err();
        assert!(wrong.to_string().contains("`not a host`"), "{wrong}");
    }
}
