//! The settings of one connection, read and checked.
//!
//! What this is not: secrets, which never come here. The one invariant: a value that exists has passed its check.

use rollcall_sdk::{Advice, Fault, Host};

/// Which id stands for a person in every answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserIdType {
    /// Differs from app to app.
    Open,
    /// The same for all apps of one developer.
    Union,
    /// The same for the whole tenant.
    User,
}

/// Which id stands for a department in every answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DepartmentIdType {
    /// The platform's own.
    Open,
    /// Chosen by the tenant, and perhaps again for another department.
    Chosen,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Scheme and authority, without a slash at the end.
    pub(crate) open_host: String,
    pub(crate) app_id: String,
    pub(crate) user_id_type: UserIdType,
    pub(crate) department_id_type: DepartmentIdType,
    /// East of UTC.
    pub(crate) utc_offset_seconds: i64,
}

impl Settings {
    pub(crate) fn read(host: &impl Host) -> Result<Self, Fault> {
        Ok(Self {
            open_host: open_host(&required(host, "open_host")?)?,
            app_id: required(host, "app_id")?,
            user_id_type: UserIdType::parse(&required(host, "user_id_type")?)?,
            department_id_type: DepartmentIdType::parse(&required(host, "department_id_type")?)?,
            utc_offset_seconds: utc_offset_seconds(&required(host, "utc_offset_minutes")?)?,
        })
    }
}

impl UserIdType {
    fn parse(text: &str) -> Result<Self, Fault> {
        match text {
            "open_id" => Ok(Self::Open),
            "union_id" => Ok(Self::Union),
            "user_id" => Ok(Self::User),
            _ => Err(wrong("user_id_type", "write user_id, union_id or open_id")),
        }
    }

    /// The platform's word: the value of the query parameter and the name of the field.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open => "open_id",
            Self::Union => "union_id",
            Self::User => "user_id",
        }
    }
}

impl DepartmentIdType {
    fn parse(text: &str) -> Result<Self, Fault> {
        match text {
            "open_department_id" => Ok(Self::Open),
            "department_id" => Ok(Self::Chosen),
            _ => Err(wrong("department_id_type", "write open_department_id or department_id")),
        }
    }

    /// The platform's word: the value of the query parameter and the name of the field.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open => "open_department_id",
            Self::Chosen => "department_id",
        }
    }
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

fn open_host(text: &str) -> Result<String, Fault> {
    let base = text.trim_end_matches('/');
    let authority = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
    match authority {
        Some(name) if !name.is_empty() && !name.contains(['/', '?', '#', '@', ' ']) => {
            Ok(base.to_owned())
        }
        _ => Err(wrong("open_host", "write scheme and host only, such as https://open.feishu.cn")),
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
