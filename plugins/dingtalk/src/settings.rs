//! The settings of one connection, read and checked.
//!
//! What this is not: secrets, which never come here. The one invariant: a value that exists has passed its check.

use rollcall_sdk::{Advice, Fault, Host};

/// The most fields of the roster that a call takes.
const MOST_FIELDS: usize = 100;

/// How much of departments and people is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Each on its own, with what only that call tells.
    Full,
    /// Listings alone.
    List,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Scheme and authority of the new generation, without a slash at the end.
    pub(crate) api_host: String,
    /// The same of the old generation.
    pub(crate) oapi_host: String,
    pub(crate) client_id: String,
    pub(crate) detail: Detail,
    /// East of UTC.
    pub(crate) utc_offset_seconds: i64,
    /// None where it is not set up.
    pub(crate) roster: Option<Roster>,
}

/// Which fields of the roster are read, and as which app.
#[derive(Clone, Debug)]
pub(crate) struct Roster {
    pub(crate) agent_id: u64,
    /// Codes such as `sys01-employeeType`; of own fields the platform's id of them.
    pub(crate) fields: Vec<String>,
}

impl Settings {
    pub(crate) fn read(host: &impl Host) -> Result<Self, Fault> {
        Ok(Self {
            api_host: base("api_host", &required(host, "api_host")?)?,
            oapi_host: base("oapi_host", &required(host, "oapi_host")?)?,
            client_id: required(host, "client_id")?,
            detail: Detail::parse(&required(host, "detail")?)?,
            utc_offset_seconds: utc_offset_seconds(&required(host, "utc_offset_minutes")?)?,
            roster: Roster::read(host)?,
        })
    }
}

impl Detail {
    fn parse(text: &str) -> Result<Self, Fault> {
        match text {
            "full" => Ok(Self::Full),
            "list" => Ok(Self::List),
            _ => Err(wrong("detail", "write full or list")),
        }
    }
}

impl Roster {
    fn read(host: &impl Host) -> Result<Option<Self>, Fault> {
        let Some(agent_id) = host.setting("agent_id").filter(|id| !id.trim().is_empty()) else {
            return Ok(None);
        };
        let agent_id = agent_id.trim().parse().map_err(|_| {
            wrong("agent_id", "write the number from the app's page, such as 2345678901")
        })?;
        let fields = fields(&required(host, "roster_fields")?).ok_or_else(|| {
            wrong("roster_fields", "write 1 to 100 codes, such as sys01-employeeType, with commas")
        })?;
        Ok(Some(Self { agent_id, fields }))
    }
}

fn fields(text: &str) -> Option<Vec<String>> {
    let plain = |code: &str| {
        let made = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        (1..=100).contains(&code.len()) && code.bytes().all(made)
    };
    let fields: Vec<String> = text.split(',').map(|code| code.trim().to_owned()).collect();
    (fields.len() <= MOST_FIELDS && fields.iter().all(|code| plain(code))).then_some(fields)
}

fn required(host: &impl Host, name: &str) -> Result<String, Fault> {
    match host.setting(name) {
        Some(value) if !value.trim().is_empty() => Ok(value.trim().to_owned()),
        _ => Err(Fault::Invalid(Advice {
            code: format!("setting:{name}"),
            message: format!("the setting `{name}` is missing"),
            remedy: format!("set `{name}` in the settings of this connection"),
        })),
    }
}

fn base(name: &str, text: &str) -> Result<String, Fault> {
    let base = text.trim_end_matches('/');
    let authority = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
    match authority {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => {
            Ok(base.to_owned())
        }
        _ => Err(wrong(name, "write scheme and host only, such as https://api.dingtalk.com")),
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
