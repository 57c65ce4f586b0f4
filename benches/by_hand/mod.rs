//! `employee.rhai` beside this file as someone would write it in Rust: typed structs that borrow, and serde both ways.
//!
//! It knows its one mapping and one zone, checks nothing, and cannot be changed without a compiler.
#![expect(clippy::struct_field_names, reason = "the platform's and the schema's own names")]

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

/// The mapping.
pub(super) const SCRIPT: &str = include_str!("employee.rhai");

/// The mapping behind a loop, which no tree covers.
pub(super) fn after_a_loop() -> String {
    format!("for once in [1] {{ }}\n{SCRIPT}")
}

/// The mapping inside a loop: nothing of it is a tree of its own.
pub(super) fn in_a_loop() -> String {
    let body = SCRIPT.replacen("\n#{", "\nfields = #{", 1);
    format!("let fields = ();\nfor once in [1] {{\n{body};\n}}\nfields")
}

/// Beijing time has no summer time in the years of the records.
const BEIJING: Offset = jiff::tz::offset(8);

#[derive(Deserialize)]
struct User<'a> {
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    #[serde(borrow)]
    employee_no: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    nickname: Cow<'a, str>,
    #[serde(borrow)]
    en_name: Cow<'a, str>,
    #[serde(borrow)]
    mobile: Cow<'a, str>,
    #[serde(borrow)]
    enterprise_email: Cow<'a, str>,
    #[serde(borrow)]
    email: Cow<'a, str>,
    #[serde(borrow)]
    department_ids: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    orders: Vec<Order<'a>>,
    #[serde(borrow)]
    leader_user_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    job_title: Cow<'a, str>,
    #[serde(borrow)]
    city: Cow<'a, str>,
    #[serde(borrow)]
    country: Cow<'a, str>,
    employee_type: i64,
    status: Status,
    join_time: i64,
    gender: i64,
    is_tenant_manager: bool,
    #[serde(borrow)]
    custom_attrs: Vec<Attribute<'a>>,
    #[serde(borrow)]
    avatar: Avatar<'a>,
}

#[derive(Deserialize)]
struct Order<'a> {
    #[serde(borrow)]
    department_id: Cow<'a, str>,
    is_primary_dept: bool,
}

#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the platform's own shape")]
struct Status {
    is_frozen: bool,
    is_resigned: bool,
    is_activated: bool,
    is_exited: bool,
}

#[derive(Deserialize)]
struct Attribute<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    value: Choice<'a>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    option_value: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Avatar<'a> {
    #[serde(borrow)]
    avatar_240: Cow<'a, str>,
}

#[derive(Serialize)]
struct Employee<'a> {
    external_id: String,
    employee_number: Option<String>,
    display_name: &'a str,
    alias: Option<&'a str>,
    english_name: Option<&'a str>,
    mobile: Option<String>,
    work_email: Option<String>,
    department_external_ids: Vec<String>,
    manager_external_id: Option<String>,
    job_title: &'a str,
    work_location: Cow<'a, str>,
    employment_type: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<String>,
    gender: &'static str,
    custom: Custom<'a>,
}

#[derive(Serialize)]
struct Custom<'a> {
    avatar_url: &'a str,
    cost_center: Option<&'a str>,
    grade: &'a str,
    is_manager: bool,
}

/// Maps one record; appends the JSON.
pub(super) fn map(record: &[u8], out: &mut Vec<u8>) {
    let Ok(user) = serde_json::from_slice::<User<'_>>(record) else { return };
    let attribute = |id: &str| user.custom_attrs.iter().find(|one| one.id == id);
    let cost = attribute("C-1001").and_then(|one| one.value.text.as_deref());
    let grade = attribute("C-1003").and_then(|one| one.value.option_value.as_deref());
    let employee = Employee {
        external_id: format!("feishu:employee:{}", user.user_id),
        employee_number: told(&user.employee_no).map(str::to_uppercase),
        display_name: user.name.trim(),
        alias: told(&user.nickname),
        english_name: told(&user.en_name),
        mobile: phone(&user.mobile),
        work_email: told(&user.enterprise_email).or(told(&user.email)).map(str::to_lowercase),
        department_external_ids: departments(&user),
        manager_external_id: user
            .leader_user_id
            .as_deref()
            .and_then(told)
            .map(|id| format!("feishu:employee:{id}")),
        job_title: told(&user.job_title).unwrap_or("Staff"),
        work_location: match told(&user.city) {
            None => Cow::Borrowed(&*user.country),
            Some(_) => Cow::Owned(format!("{}, {}", user.city, user.country)),
        },
        employment_type: match user.employee_type {
            1 => "full_time",
            2 => "intern",
            3..=5 => "contractor",
            _ => "other",
        },
        status: status(&user.status),
        start_date: start_date(user.join_time),
        gender: match user.gender {
            1 => "male",
            2 => "female",
            3 => "other",
            _ => "unspecified",
        },
        custom: Custom {
            avatar_url: &user.avatar.avatar_240,
            cost_center: cost,
            grade: grade.unwrap_or("G0"),
            is_manager: user.is_tenant_manager,
        },
    };
    serde_json::to_writer(out, &employee).unwrap_or_default();
}

fn told(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty()).then_some(text)
}

fn departments(user: &User<'_>) -> Vec<String> {
    let flagged = user.orders.iter().find(|order| order.is_primary_dept);
    let main = flagged.map(|order| &*order.department_id);
    let main = main.or(user.department_ids.first().map(|id| &**id));
    let rest = user.department_ids.iter().map(|id| &**id).filter(|id| Some(*id) != main);
    main.into_iter().chain(rest).map(|id| format!("feishu:department:{id}")).collect()
}

fn phone(text: &str) -> Option<String> {
    told(text)?;
    let mut number = String::with_capacity(text.len() + 3);
    number.extend(text.chars().filter(|letter| letter.is_ascii_digit() || *letter == '+'));
    if number.len() == 11 && number.starts_with('1') {
        number.insert_str(0, "+86");
    }
    Some(number)
}

fn status(status: &Status) -> &'static str {
    if status.is_resigned || status.is_exited {
        "terminated"
    } else if status.is_frozen {
        "suspended"
    } else if !status.is_activated {
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
