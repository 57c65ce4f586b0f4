//! `mappings/feishu/employee.rhai` as someone would write it in Rust: typed structs that borrow, and serde both ways.
//!
//! It knows its one mapping and one zone, checks nothing, and cannot be changed without a compiler.
#![expect(clippy::struct_field_names, reason = "the platform's and the schema's own names")]

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Beijing time has no summer time in the years of the records.
const BEIJING: Offset = jiff::tz::offset(8);

#[derive(Deserialize)]
struct User<'a> {
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    #[serde(borrow, default)]
    employee_no: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    nickname: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    en_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    mobile: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    enterprise_email: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    email: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    department_ids: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    orders: Vec<Order<'a>>,
    #[serde(borrow, default, deserialize_with = "told")]
    leader_user_id: Field<Id<'a>>,
    #[serde(borrow, default)]
    job_title: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    city: Option<Cow<'a, str>>,
    #[serde(default)]
    employee_type: Option<i64>,
    status: Status,
    #[serde(default)]
    join_time: i64,
    #[serde(default)]
    gender: Option<i64>,
}

#[derive(Deserialize)]
struct Id<'a>(#[serde(borrow)] Cow<'a, str>);

/// A field that is there: `null` too.
fn told<'de: 'a, 'a, D: Deserializer<'de>>(input: D) -> Result<Field<Id<'a>>, D::Error> {
    Option::deserialize(input).map(|id| id.map_or(Field::Null, Field::Value))
}

#[derive(Deserialize)]
struct Order<'a> {
    #[serde(borrow)]
    department_id: Cow<'a, str>,
    #[serde(default)]
    department_order: i64,
    #[serde(default)]
    is_primary_dept: bool,
}

#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the platform's own shape")]
struct Status {
    #[serde(default)]
    is_frozen: bool,
    #[serde(default)]
    is_resigned: bool,
    #[serde(default)]
    is_activated: bool,
    #[serde(default)]
    is_exited: bool,
    #[serde(default)]
    is_unjoin: bool,
}

/// Missing, null or a value.
#[derive(Clone, Copy, Default)]
enum Field<T> {
    #[default]
    Missing,
    Null,
    Value(T),
}

impl<T> Field<T> {
    fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Missing | Self::Null => serializer.serialize_unit(),
            Self::Value(value) => value.serialize(serializer),
        }
    }
}

#[derive(Serialize)]
struct Employee<'a> {
    external_id: String,
    #[serde(skip_serializing_if = "Field::is_missing")]
    employee_number: Field<&'a str>,
    display_name: &'a str,
    #[serde(skip_serializing_if = "Field::is_missing")]
    alias: Field<&'a str>,
    #[serde(skip_serializing_if = "Field::is_missing")]
    english_name: Field<&'a str>,
    #[serde(skip_serializing_if = "Field::is_missing")]
    mobile: Field<String>,
    #[serde(skip_serializing_if = "Field::is_missing")]
    work_email: Field<String>,
    department_external_ids: Vec<String>,
    #[serde(skip_serializing_if = "Field::is_missing")]
    manager_external_id: Field<String>,
    #[serde(skip_serializing_if = "Field::is_missing")]
    job_title: Field<&'a str>,
    #[serde(skip_serializing_if = "Field::is_missing")]
    work_location: Field<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    employment_type: Option<&'static str>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gender: Option<&'static str>,
}

/// Maps one record; appends the JSON.
pub(super) fn map(record: &[u8], out: &mut Vec<u8>) {
    let Ok(user) = serde_json::from_slice::<User<'_>>(record) else {
        return;
    };
    let mail = user.enterprise_email.as_deref().filter(|mail| !mail.trim().is_empty());
    let mail = or_null(mail.or(user.email.as_deref()));
    let employee = Employee {
        external_id: format!("feishu:employee:{}", user.user_id),
        employee_number: or_null(user.employee_no.as_deref()),
        display_name: user.name.trim(),
        alias: or_null(user.nickname.as_deref()),
        english_name: or_null(user.en_name.as_deref()),
        mobile: phone(user.mobile.as_deref()),
        work_email: lower(mail),
        department_external_ids: departments(&user),
        manager_external_id: match &user.leader_user_id {
            Field::Missing => Field::Missing,
            Field::Value(Id(id)) if !id.trim().is_empty() => {
                Field::Value(format!("feishu:employee:{id}"))
            }
            Field::Null | Field::Value(_) => Field::Null,
        },
        job_title: or_null(user.job_title.as_deref()),
        work_location: or_null(user.city.as_deref()),
        employment_type: user.employee_type.map(employment_type),
        status: status(&user.status),
        start_date: start_date(user.join_time),
        gender: user.gender.and_then(gender),
    };
    serde_json::to_writer(out, &employee).unwrap_or_default();
}

fn or_null(text: Option<&str>) -> Field<&str> {
    match text.map(str::trim) {
        None => Field::Missing,
        Some("") => Field::Null,
        Some(text) => Field::Value(text),
    }
}

fn lower(text: Field<&str>) -> Field<String> {
    match text {
        Field::Value(text) => Field::Value(text.to_lowercase()),
        Field::Null => Field::Null,
        Field::Missing => Field::Missing,
    }
}

fn departments(user: &User<'_>) -> Vec<String> {
    let flagged = user.orders.iter().find(|order| order.is_primary_dept);
    let largest = || {
        let mut best: Option<&Order<'_>> = None;
        for order in &user.orders {
            if best.is_none_or(|best| order.department_order > best.department_order) {
                best = Some(order);
            }
        }
        best
    };
    let main = flagged.or_else(largest).map(|order| &*order.department_id);
    let rest = user.department_ids.iter().map(|id| &**id).filter(|id| Some(*id) != main);
    let ids = main.into_iter().chain(rest).filter(|id| *id != "0");
    ids.map(|id| format!("feishu:department:{id}")).collect()
}

fn phone(text: Option<&str>) -> Field<String> {
    let Some(text) = text else { return Field::Missing };
    if text.trim().is_empty() {
        return Field::Null;
    }
    let mut number = String::with_capacity(text.len() + 3);
    number.extend(text.chars().filter(|letter| letter.is_ascii_digit() || *letter == '+'));
    let chinese = number.strip_prefix("+86").unwrap_or(&number);
    if chinese.len() == 11 && chinese.starts_with('1') {
        return Field::Value(format!("+86{chinese}"));
    }
    match phonenumber::parse(Some(phonenumber::country::CN), &number) {
        Ok(parsed) => Field::Value(parsed.format().mode(phonenumber::Mode::E164).to_string()),
        Err(_) => Field::Missing,
    }
}

fn employment_type(number: i64) -> &'static str {
    match number {
        1 => "full_time",
        2 => "intern",
        3..=5 => "contractor",
        _ => "other",
    }
}

fn status(status: &Status) -> &'static str {
    if status.is_resigned || status.is_exited {
        "terminated"
    } else if status.is_frozen {
        "suspended"
    } else if status.is_unjoin || !status.is_activated {
        "pending"
    } else {
        "active"
    }
}

fn start_date(seconds: i64) -> Option<String> {
    if seconds == 0 {
        return None;
    }
    let at = Timestamp::from_second(seconds).ok()?;
    Some(TimeZone::fixed(BEIJING).to_datetime(at).date().to_string())
}

fn gender(number: i64) -> Option<&'static str> {
    match number {
        0 => Some("unspecified"),
        1 => Some("male"),
        2 => Some("female"),
        3 => Some("other"),
        _ => None,
    }
}
