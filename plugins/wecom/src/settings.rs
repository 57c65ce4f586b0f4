//! The settings of one connection, read and checked.
//!
//! What this is not: secrets, which never come here. The one invariant: a value that exists has passed its check.

use rollcall_sdk::{Advice, Fault, Host};

/// Where punches are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Punches {
    /// What the check-in app counts.
    CheckIn,
    /// The raw log of attendance machines.
    Devices,
    /// The one, then the other.
    Both,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Scheme and authority, without a slash at the end.
    pub(crate) api_host: String,
    pub(crate) corp_id: String,
    /// The self-built app's own id.
    pub(crate) agent_id: Option<String>,
    pub(crate) punches: Punches,
    /// East of UTC.
    pub(crate) utc_offset_seconds: i64,
}

impl Settings {
    pub(crate) fn read(host: &impl Host) -> Result<Self, Fault> {
        Ok(Self {
            api_host: api_host(&required(host, "api_host")?)?,
            corp_id: required(host, "corp_id")?,
            agent_id: optional(host, "agent_id").map(agent_id).transpose()?,
            punches: Punches::parse(&required(host, "punches")?)?,
            utc_offset_seconds: utc_offset_seconds(&required(host, "utc_offset_minutes")?)?,
        })
    }
}

impl Punches {
    fn parse(text: &str) -> Result<Self, Fault> {
        match text {
            "check_in" => Ok(Self::CheckIn),
            "devices" => Ok(Self::Devices),
            "both" => Ok(Self::Both),
            _ => Err(wrong("punches", "write check_in, devices or both")),
        }
    }
}

fn optional(host: &impl Host, name: &str) -> Option<String> {
    host.setting(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn required(host: &impl Host, name: &str) -> Result<String, Fault> {
    optional(host, name).ok_or_else(|| {
        Fault::Invalid(Advice {
            code: format!("setting:{name}"),
            message: format!("the setting `{name}` is missing"),
            remedy: format!("set `{name}` in the settings of this connection"),
        })
    })
}

fn agent_id(text: String) -> Result<String, Fault> {
    if text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text)
    } else {
        Err(wrong("agent_id", "write the digits of the app's AgentId, such as 1000002"))
    }
}

fn api_host(text: &str) -> Result<String, Fault> {
    let base = text.trim_end_matches('/');
    let authority = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
    match authority {
        Some(name) if !name.is_empty() && !name.contains(['/', '?', '#', '@', ' ']) => {
            Ok(base.to_owned())
        }
        _ => Err(wrong(
            "api_host",
            "write scheme and host only, such as https://qyapi.weixin.qq.com",
        )),
    }
}

fn utc_offset_seconds(text: &str) -> Result<i64, Fault> {
    match text.parse::<i64>() {
        Ok(minutes) if (-12 * 60..=14 * 60).contains(&minutes) => Ok(minutes * 60),
        _ => Err(wrong(
            "utc_offset_minutes",
            "write minutes from -720 to 840, such as 480 for China",
        )),
    }
}

fn wrong(name: &str, remedy: &str) -> Fault {
    Fault::Invalid(Advice {
        code: format!("setting:{name}"),
        message: format!("the setting `{name}` has a value that cannot be used"),
        remedy: format!("{remedy} in the settings of this connection"),
    })
}
