//! The tables themselves: one constant per entity, in the order in which a draft shows its fields.
//!
//! Only data. The invariant: names are unique within an entity and `external_id` stands first.

use super::{Field, FieldType, Need};

const fn required(name: &'static str, ty: FieldType, about: &'static str) -> Field {
    Field { name, ty, need: Need::Required, about }
}

const fn optional(name: &'static str, ty: FieldType, about: &'static str) -> Field {
    Field { name, ty, need: Need::Optional, about }
}

const EXTERNAL_ID: Field = required(
    "external_id",
    FieldType::Id,
    "`<connection>:<entity>:<source id>`: the join key in every target.",
);
const CUSTOM: Field = optional(
    "custom",
    FieldType::Custom,
    "The tenant's own fields: an object of texts, numbers and booleans.",
);
const TIMEZONE: &str = "IANA time zone name.";

/// How someone is employed.
pub const EMPLOYMENT_TYPES: &[&str] = &[
    "full_time",
    "part_time",
    "intern",
    "contractor",
    "temporary",
    "expatriate",
    "rehired_retiree",
    "other",
];
/// Where someone stands with the company.
pub const EMPLOYEE_STATUSES: &[&str] =
    &["pending", "active", "on_leave", "suspended", "terminated"];

pub(super) const DEPARTMENT: &[Field] = &[
    EXTERNAL_ID,
    required("name", FieldType::Text(128), "The department's name."),
    optional(
        "parent_external_id",
        FieldType::Id,
        "The parent department; absent or null at the top.",
    ),
    optional("code", FieldType::Text(64), "The company's own code of the department."),
    optional("head_external_ids", FieldType::Ids, "The employees who head it, the main one first."),
    optional("sort_order", FieldType::Integer, "Position among its siblings, smaller first."),
    required("status", FieldType::Enum(&["active", "inactive"]), "Whether it is in use."),
    CUSTOM,
];

pub(super) const EMPLOYEE: &[Field] = &[
    EXTERNAL_ID,
    optional(
        "employee_number",
        FieldType::Text(64),
        "The staff number; not unique across sources.",
    ),
    required("display_name", FieldType::Text(128), "The name as its source writes it."),
    optional("family_name", FieldType::Text(64), "Only where the source splits names."),
    optional("given_name", FieldType::Text(64), "Only where the source splits names."),
    optional("alias", FieldType::Text(64), "Nickname or 花名."),
    optional("english_name", FieldType::Text(128), "The name in Latin letters."),
    optional("mobile", FieldType::Mobile, "Mobile number in E.164."),
    optional("work_email", FieldType::Email, "Mail address at the company."),
    optional("personal_email", FieldType::Email, "Private mail address."),
    required(
        "department_external_ids",
        FieldType::Ids,
        "The departments, the main one first; may be empty.",
    ),
    optional("manager_external_id", FieldType::Id, "The direct manager."),
    optional("job_title", FieldType::Text(128), "What the person is called to do."),
    optional("job_level", FieldType::Text(64), "The grade."),
    optional("work_location", FieldType::Text(128), "City, site or desk."),
    optional("employment_type", FieldType::Enum(EMPLOYMENT_TYPES), "How the person is employed."),
    required(
        "status",
        FieldType::Enum(EMPLOYEE_STATUSES),
        "Where the person stands with the company.",
    ),
    optional("start_date", FieldType::Date, "First day."),
    optional("end_date", FieldType::Date, "Last day."),
    optional("probation_end_date", FieldType::Date, "Last day of probation."),
    optional(
        "gender",
        FieldType::Enum(&["male", "female", "other", "unspecified"]),
        "As the source states it.",
    ),
    optional("timezone", FieldType::Zone, TIMEZONE),
    CUSTOM,
];

pub(super) const CHECK_IN: &[Field] = &[
    EXTERNAL_ID,
    required("employee_external_id", FieldType::Id, "Who punched."),
    required("at", FieldType::Instant, "When, with the offset of the person's wall clock."),
    required("timezone", FieldType::Zone, TIMEZONE),
    required("work_date", FieldType::Date, "The day of the shift it belongs to."),
    required("direction", FieldType::Enum(&["in", "out", "unknown"]), "Arrival or departure."),
    required(
        "kind",
        FieldType::Enum(&["shift", "field_trip", "visit", "correction", "import"]),
        "上下班, 外勤, 外出, 补卡 or 导入.",
    ),
    optional(
        "method",
        FieldType::Enum(&["gps", "wifi", "device", "face", "bluetooth", "manual", "api", "other"]),
        "How it was made.",
    ),
    optional(
        "result",
        FieldType::Enum(&[
            "normal",
            "late",
            "early",
            "absent_minor",
            "missing",
            "outside",
            "invalid",
        ]),
        "The platform's verdict, for information.",
    ),
    optional("latitude", FieldType::Decimal, "Degrees north, in `datum`."),
    optional("longitude", FieldType::Decimal, "Degrees east, in `datum`."),
    optional("datum", FieldType::Enum(&["gcj02", "wgs84", "bd09"]), "The coordinates' system."),
    optional("place_name", FieldType::Text(256), "Where, in words."),
    optional("device_id", FieldType::Text(128), "The machine."),
    optional("note", FieldType::Text(250), "What the person wrote."),
    optional("revoked_at", FieldType::Instant, "When the platform withdrew it."),
    CUSTOM,
];

pub(super) const ATTENDANCE_DAY: &[Field] = &[
    EXTERNAL_ID,
    required("employee_external_id", FieldType::Id, "Whose day."),
    required("work_date", FieldType::Date, "Which day."),
    required(
        "status",
        FieldType::Enum(&[
            "present", "absent", "half_day", "on_leave", "rest", "holiday", "trip", "open",
        ]),
        "How the day went; `open` while it is not over.",
    ),
    optional("shift_name", FieldType::Text(128), "The shift."),
    optional("planned_minutes", FieldType::Minutes, "Planned work."),
    optional("worked_minutes", FieldType::Minutes, "Work between punches."),
    optional("first_in", FieldType::Instant, "First arrival."),
    optional("last_out", FieldType::Instant, "Last departure."),
    optional("late_minutes", FieldType::Minutes, "Minutes late."),
    optional("early_minutes", FieldType::Minutes, "Minutes left early."),
    optional("absent_minutes", FieldType::Minutes, "Minutes absent."),
    optional("overtime_minutes", FieldType::Minutes, "Overtime."),
    optional("locked", FieldType::Bool, "Whether the day is closed for payroll."),
    CUSTOM,
];

pub(super) const LEAVE: &[Field] = &[
    EXTERNAL_ID,
    required("employee_external_id", FieldType::Id, "Who is away."),
    required(
        "type",
        FieldType::Enum(&[
            "annual",
            "sick",
            "personal",
            "compensatory",
            "marriage",
            "maternity",
            "paternity",
            "parental",
            "bereavement",
            "breastfeeding",
            "home_visit",
            "prenatal",
            "other",
        ]),
        "What kind of leave.",
    ),
    optional("type_raw", FieldType::Text(128), "The source's own word for it."),
    optional("start_at", FieldType::Instant, "From, for leave by the hour."),
    optional("end_at", FieldType::Instant, "Until, for leave by the hour."),
    optional("start_date", FieldType::Date, "First day, for leave by the day."),
    optional("end_date", FieldType::Date, "Last day, for leave by the day."),
    optional("start_half", FieldType::Enum(&["am", "pm"]), "Half of the first day."),
    optional("end_half", FieldType::Enum(&["am", "pm"]), "Half of the last day."),
    optional("amount", FieldType::Decimal, "How much, in `unit`."),
    optional("unit", FieldType::Enum(&["day", "hour"]), "Unit of `amount`."),
    required(
        "status",
        FieldType::Enum(&["requested", "approved", "declined", "cancelled", "revoked"]),
        "Where the request stands.",
    ),
    CUSTOM,
];
