//! Whether what a field is set to can fit the schema.
//!
//! Not here: what an expression may give (`infer`), and the verdict on a value itself, which is the schema's. The invariant:
//! a finding names a value that would park every record that gets there.

use rhai::Position;

use super::kinds::{Kinds, Part, Shape, Ty};
use crate::mapping::fault::Severity;
use crate::model::draft::{Content, Draft, Fields};
use crate::model::entity::Entity;
use crate::model::schema::{self, Field, FieldType, Need};

/// What is wrong at a place of a script.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) at: Position,
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) label: String,
    pub(super) help: String,
}

/// What is wrong with a field's value; `at` is the place of the field's name.
pub(super) fn check(entity: Entity, field: &Field, ty: &Ty, at: Position) -> Vec<Found> {
    let needed = field.need == Need::Required && field.name != "external_id";
    if needed && !ty.parts.is_empty() && ty.kinds().within(Kinds::UNIT) {
        return vec![never_set(entity, field, at)];
    }
    let mut found = Vec::new();
    for part in &ty.parts {
        let place = if part.at.is_none() { at } else { part.at };
        if part.kinds.within(Kinds::UNIT) {
            // A `()` that the script writes itself, not one that a function may give.
            if needed && part.at != at && ty.parts.len() > 1 && explicit(part, ty) {
                found.push(left_out(entity, field, place));
            }
            continue;
        }
        found.extend(misfit(entity, field, part, place));
    }
    if field.ty == FieldType::Ids
        && let Some(item) = &ty.item
    {
        found.extend(item.parts.iter().filter_map(|part| {
            let place = if part.at.is_none() { at } else { part.at };
            element(field, part, place)
        }));
    }
    found
}

/// Whether this is the only thing that the branch gives.
fn explicit(part: &Part, ty: &Ty) -> bool {
    ty.parts.iter().filter(|other| other.at == part.at).count() == 1
}

fn never_set(entity: Entity, field: &Field, at: Position) -> Found {
    Found {
        at,
        code: "mapping::never_set",
        severity: Severity::Error,
        message: format!("`{}` is always `()`, and every {entity} needs it", field.name),
        label: "never has a value".to_owned(),
        help: format!("give it a value: {}", field.about),
    }
}

fn left_out(entity: Entity, field: &Field, at: Position) -> Found {
    Found {
        at,
        code: "mapping::left_out",
        severity: Severity::Note,
        message: format!(
            "every {entity} needs `{}`, and this branch leaves it out: a record that gets here is parked",
            field.name
        ),
        label: "no value here".to_owned(),
        help: "keep it if such a record shall be parked; else give a value, or leave the record out with `skip()`".to_owned(),
    }
}

fn misfit(entity: Entity, field: &Field, part: &Part, at: Position) -> Option<Found> {
    if let Some(literal) = &part.literal {
        return refused(entity, field, literal, at);
    }
    if !part.kinds.meets(accepted(field)) {
        let message =
            format!("`{}` takes {}, not {}", field.name, taken(field.ty), part.kinds.words());
        return Some(mismatch(at, message, part.kinds.words(), fix(field.ty)));
    }
    if !part.kinds.within(Kinds::TEXT.and(Kinds::UNIT)) {
        return None;
    }
    let wrong = match (field.ty, part.shape) {
        (_, Shape::Any)
        | (FieldType::Text(_), _)
        | (FieldType::Date, Shape::Date)
        | (FieldType::Instant, Shape::Instant)
        | (FieldType::Mobile, Shape::Mobile) => return None,
        (FieldType::Id, Shape::Id(kind)) => return foreign(field, entity, kind, at),
        (_, shape) => shape,
    };
    let message = format!("`{}` takes {}, not {}", field.name, taken(field.ty), shape_word(wrong));
    Some(mismatch(at, message, shape_word(wrong).to_owned(), fix(field.ty)))
}

/// A value that stands in the script or in a table: the schema itself gives the verdict.
fn refused(
    entity: Entity,
    field: &Field,
    literal: &Content<'static>,
    at: Position,
) -> Option<Found> {
    let mut fields = Fields::new(entity);
    fields.set(field.name, literal.clone());
    let violations = Draft::try_new(&fields).err()?;
    let violation = violations.into_iter().find(|violation| violation.field == field.name)?;
    if let (FieldType::Enum(words), Content::Text(text)) = (field.ty, literal) {
        return Some(Found {
            at,
            code: "mapping::word",
            severity: Severity::Error,
            message: format!("`{}` cannot be \"{text}\"", field.name),
            label: "leads to this word".to_owned(),
            help: match schema::nearest(text, words.iter().copied()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("use one of: {}", words.join(", ")),
            },
        });
    }
    if violation.code == "schema::type" {
        let message = format!("`{}` takes {}, not {}", field.name, taken(field.ty), literal.kind());
        return Some(mismatch(at, message, literal.kind().to_owned(), fix(field.ty)));
    }
    Some(Found {
        at,
        code: "mapping::value",
        severity: Severity::Error,
        message: format!("`{}` cannot be this value: it {}", field.name, violation.problem),
        label: "this value".to_owned(),
        help: format!("`rollcall explain {}` says what fits", violation.code),
    })
}

/// An element of a list of ids.
fn element(field: &Field, part: &Part, at: Position) -> Option<Found> {
    let message =
        |got: &str| format!("`{}` takes a list of external ids, not of {got}", field.name);
    if !part.kinds.meets(Kinds::TEXT.and(Kinds::UNIT)) {
        let got = part.kinds.words();
        return Some(mismatch(at, message(&got), got, fix(FieldType::Id)));
    }
    match (&part.literal, part.shape) {
        (Some(Content::Text(text)), _) if !is_id(text) => Some(mismatch(
            at,
            message("this text"),
            "no external id".to_owned(),
            fix(FieldType::Id),
        )),
        (_, Shape::Any) => None,
        (_, Shape::Id(kind)) => foreign(field, Entity::Employee, kind, at),
        (_, shape) => {
            let got = shape_word(shape);
            Some(mismatch(at, message(got), got.to_owned(), fix(FieldType::Id)))
        }
    }
}

fn is_id(text: &str) -> bool {
    crate::model::ids::ExternalId::parse(text).is_some()
}

/// An external id of another kind of record than the field names.
fn foreign(field: &Field, own: Entity, kind: Option<Entity>, at: Position) -> Option<Found> {
    let wanted = match field.name {
        "external_id" => own,
        "department_external_ids" | "parent_external_id" => Entity::Department,
        "employee_external_id" | "manager_external_id" | "head_external_ids" => Entity::Employee,
        _ => return None,
    };
    let got = kind.filter(|kind| *kind != wanted)?;
    let message = format!("`{}` names {wanted} records, not {got}", field.name);
    let help = format!("write `id(\"{wanted}\", ..)`");
    Some(mismatch(at, message, format!("the id of {got}"), help))
}

fn mismatch(at: Position, message: String, label: String, help: String) -> Found {
    let (code, severity) = ("mapping::type_mismatch", Severity::Error);
    Found { at, code, severity, message, label, help }
}

fn accepted(field: &Field) -> Kinds {
    let own = match field.ty {
        FieldType::Ids => Kinds::LIST,
        FieldType::Integer | FieldType::Minutes => Kinds::INT,
        FieldType::Decimal => Kinds::NUMBER,
        FieldType::Bool => Kinds::BOOL,
        FieldType::Custom => Kinds::OBJECT,
        _ => Kinds::TEXT,
    };
    match field.need {
        Need::Optional => own.and(Kinds::CLEAR).and(Kinds::UNIT),
        Need::Required => own.and(Kinds::UNIT),
    }
}

/// In words that fit "takes ..".
fn taken(ty: FieldType) -> &'static str {
    match ty {
        FieldType::Id => "an external id",
        FieldType::Ids => "a list of external ids",
        FieldType::Text(_) => "text",
        FieldType::Integer => "a whole number",
        FieldType::Minutes => "a whole number of minutes",
        FieldType::Decimal => "a number",
        FieldType::Bool => "true or false",
        FieldType::Date => "a day as YYYY-MM-DD",
        FieldType::Instant => "an instant with its offset",
        FieldType::Zone => "a time zone's name",
        FieldType::Mobile => "a number in E.164",
        FieldType::Email => "a mail address",
        FieldType::Enum(_) => "one of its words",
        FieldType::Custom => "an object",
    }
}

fn shape_word(shape: Shape) -> &'static str {
    match shape {
        Shape::Any => "text",
        Shape::Date => "a day",
        Shape::Instant => "an instant",
        Shape::Mobile => "a phone number",
        Shape::Id(_) => "an external id",
    }
}

fn fix(ty: FieldType) -> String {
    match ty {
        FieldType::Id => "make one with `id(\"employee\", ..)`".to_owned(),
        FieldType::Ids => "make a list of them: `list.map(|x| id(\"department\", x))`".to_owned(),
        FieldType::Text(_) => "make text of it with `to_text(..)`".to_owned(),
        FieldType::Integer | FieldType::Minutes => "make one with `to_int(..)`".to_owned(),
        FieldType::Decimal => "make one with `to_number(..)`".to_owned(),
        FieldType::Bool => "compare: `record.flag == true`".to_owned(),
        FieldType::Date => "make one with `date(..)`".to_owned(),
        FieldType::Instant => "make one with `instant(..)`".to_owned(),
        FieldType::Zone => "use `tz`, or a name such as \"Asia/Shanghai\"".to_owned(),
        FieldType::Mobile => "make one with `phone(..)`".to_owned(),
        FieldType::Email => "use the record's mail address, in lower case: `lower(..)`".to_owned(),
        FieldType::Enum(words) => {
            format!("use `lookup(..)` or `switch` to make one of: {}", words.join(", "))
        }
        FieldType::Custom => "write `custom: #{ name: value, .. }`".to_owned(),
    }
}
