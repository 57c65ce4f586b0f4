//! A draft that is written while its fields become known: no value is kept, each becomes text at once.
//!
//! Not here: what is wrong with a draft. Whoever is refused puts the fields together as [`Fields`](super::draft::Fields)
//! and asks [`Draft::try_new`], which tells. The invariant: a sheet that gives a draft gives the one that
//! [`Draft::try_new`] gives of the same fields.

use crate::model::draft::{Content, Draft};
use crate::model::entity::Entity;
use crate::model::ids::ExternalId;
use crate::model::schema::{self, Need};

/// The position of `external_id` in every entity's fields.
const EXTERNAL_ID: usize = 0;

/// A draft in the making; used again for the next, it allocates nothing but drafts.
#[derive(Debug)]
pub struct Sheet {
    entity: Entity,
    /// The fields as they came: `{"name":value,"name":value`.
    text: String,
    /// By position in the schema: where a field stands in the text, name and value.
    places: Vec<Place>,
    /// The first position that a field may have to stand in schema order; `None` when one came out of order.
    next: Option<usize>,
    /// The fields in schema order, if they came in another.
    sorted: String,
    external_id: Option<ExternalId>,
}

/// Where a field stands in the text; nowhere when it is not set.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    from: usize,
    to: usize,
}

impl Place {
    fn is_set(self) -> bool {
        self.to > self.from
    }
}

/// A field, or the draft as a whole, does not fit the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the fields do not fit the schema; put them together with `Draft::try_new`, which tells which and why"
)]
pub struct Unfit;

impl Sheet {
    /// A sheet without fields.
    pub fn new(entity: Entity) -> Self {
        let mut sheet = Self {
            entity,
            text: String::with_capacity(1024),
            places: Vec::new(),
            next: Some(0),
            sorted: String::new(),
            external_id: None,
        };
        sheet.clear(entity);
        sheet
    }

    /// Starts anew: no field is set.
    pub fn clear(&mut self, entity: Entity) {
        self.entity = entity;
        self.text.clear();
        self.text.push('{');
        self.places.clear();
        self.places.resize(schema::fields(entity).len(), Place::default());
        self.next = Some(0);
        self.external_id = None;
    }

    /// Sets the field at a position of [`schema::fields`]; a later value takes the place of an earlier one.
    ///
    /// # Errors
    /// [`Unfit`] when there is no such field or the value does not fit it. The sheet holds garbage then, until it is
    /// cleared.
    pub fn set_at(&mut self, at: usize, value: &Content<'_>) -> Result<(), Unfit> {
        let field = schema::fields(self.entity).get(at).ok_or(Unfit)?;
        let place = self.places.get_mut(at).ok_or(Unfit)?;
        if self.text.len() > 1 {
            self.text.push(',');
        }
        let from = self.text.len();
        self.text.push('"');
        self.text.push_str(field.name);
        self.text.push_str("\":");
        schema::write_value(field, value, &mut self.text).map_err(|_| Unfit)?;
        *place = Place { from, to: self.text.len() };
        self.next = self.next.filter(|next| *next <= at).map(|_| at + 1);
        if at == EXTERNAL_ID {
            let Content::Text(text) = value else { return Err(Unfit) };
            self.external_id = ExternalId::parse(text);
        }
        Ok(())
    }

    /// Leaves the field at a position of [`schema::fields`] alone again.
    pub fn unset_at(&mut self, at: usize) {
        if let Some(place) = self.places.get_mut(at).filter(|place| place.is_set()) {
            *place = Place::default();
            self.next = None;
        }
    }

    /// The kind of record.
    pub fn entity(&self) -> Entity {
        self.entity
    }

    /// Whether the external id is set.
    pub fn is_named(&self) -> bool {
        self.places.get(EXTERNAL_ID).is_some_and(|place| place.is_set())
    }

    /// The draft.
    ///
    /// # Errors
    /// [`Unfit`] when a required field is missing or the external id is one of another kind of record.
    pub fn finish(&mut self) -> Result<Draft, Unfit> {
        let fields = schema::fields(self.entity).iter();
        let missing = |(field, place): (&schema::Field, &Place)| {
            field.need == Need::Required && !place.is_set()
        };
        if fields.zip(&self.places).any(missing) {
            return Err(Unfit);
        }
        let external_id = self.external_id.take().ok_or(Unfit)?;
        if !external_id.is_of(self.entity) {
            return Err(Unfit);
        }
        let text = if self.next.is_some() { &mut self.text } else { self.sort() };
        text.push('}');
        Ok(Draft::written(external_id, text))
    }

    fn sort(&mut self) -> &mut String {
        self.sorted.clear();
        for place in self.places.iter().filter(|place| place.is_set()) {
            self.sorted.push(if self.sorted.is_empty() { '{' } else { ',' });
            self.sorted.push_str(self.text.get(place.from..place.to).unwrap_or_default());
        }
        &mut self.sorted
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;
    use crate::model::draft::Fields;

    /// What is done to one field; the value `None` leaves it alone again.
    type Step = (usize, Option<Content<'static>>);

    fn text(text: &str) -> Content<'static> {
        Content::Text(Cow::Owned(text.to_owned()))
    }

    /// The same steps on a sheet, which may have been used before, and on fields.
    fn both(sheet: &mut Sheet, steps: &[Step]) -> (Result<Draft, Unfit>, Option<Draft>) {
        sheet.clear(Entity::Employee);
        let mut fields = Fields::new(Entity::Employee);
        let mut fits = Ok(());
        for (at, value) in steps {
            if let Some(value) = value {
                fields.set_at(*at, value.clone());
                fits = fits.and_then(|()| sheet.set_at(*at, value));
            } else {
                fields.unset_at(*at);
                sheet.unset_at(*at);
            }
        }
        (fits.and_then(|()| sheet.finish()), Draft::try_new(&fields).ok())
    }

    fn place(name: &str) -> usize {
        schema::position(Entity::Employee, name).unwrap()
    }

    fn whole() -> Vec<Step> {
        let fields = [
            ("external_id", text("feishu:employee:e1")),
            ("display_name", text("Li \"Wei\"")),
            ("department_external_ids", Content::List(vec![text("feishu:department:d1")])),
            ("status", text("active")),
        ];
        fields.map(|(name, value)| (place(name), Some(value))).to_vec()
    }

    #[test]
    fn fields_that_come_in_any_order_give_the_same_draft() {
        let mut sheet = Sheet::new(Entity::Employee);
        let mut steps = whole();
        let (one, wanted) = both(&mut sheet, &steps);
        steps.reverse();
        let (other, _) = both(&mut sheet, &steps);
        assert_eq!(one.as_ref().ok(), wanted.as_ref());
        assert_eq!(one, other);
        assert!(one.is_ok());
    }

    #[test]
    fn the_last_value_of_a_field_counts_and_none_takes_it_away() {
        let mut sheet = Sheet::new(Entity::Employee);
        let mut steps = whole();
        steps.push((place("alias"), Some(text("one"))));
        steps.push((place("alias"), Some(Content::Null)));
        steps.push((place("gender"), Some(text("male"))));
        steps.push((place("gender"), None));
        steps.push((place("status"), Some(text("terminated"))));
        let (draft, wanted) = both(&mut sheet, &steps);
        assert_eq!(draft.as_ref().ok(), wanted.as_ref());
        let json = String::from_utf8(draft.unwrap().json().to_vec()).unwrap();
        assert!(json.contains(r#""alias":null"#) && !json.contains("gender"), "{json}");
        assert!(json.contains(r#""status":"terminated""#), "{json}");
    }

    #[test]
    fn what_does_not_fit_gives_no_draft() {
        let mut sheet = Sheet::new(Entity::Employee);
        let wrong = [
            (place("external_id"), None),
            (place("external_id"), Some(text("feishu:department:d1"))),
            (place("external_id"), Some(text("geheim"))),
            (place("display_name"), None),
            (place("display_name"), Some(Content::Null)),
            (place("mobile"), Some(text("123"))),
            (usize::MAX, Some(Content::Null)),
        ];
        for step in wrong {
            let steps: Vec<Step> = whole().into_iter().chain([step.clone()]).collect();
            let (draft, _) = both(&mut sheet, &steps);
            assert_eq!(draft, Err(Unfit), "{step:?}");
        }
        assert!(both(&mut sheet, &whole()).0.is_ok());
    }

    fn value() -> impl Strategy<Value = Option<Content<'static>>> {
        let some = prop::sample::select(vec![
            Content::Null,
            Content::Int(7),
            Content::Bool(true),
            text("x"),
            text(""),
            text("active"),
            text("2026-11-20"),
            text("feishu:employee:e1"),
            text("feishu:department:d1"),
            Content::List(vec![text("feishu:department:d1"), text("feishu:department:d1")]),
            Content::Map(vec![("b".into(), Content::Float(5.0)), ("a".into(), text("李\n"))]),
        ]);
        prop::option::weighted(0.8, some)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

        #[test]
        fn a_sheet_gives_the_draft_that_its_fields_give(steps in prop::collection::vec((0..23_usize, value()), 0..12), last in 0..12_usize) {
            let mut sheet = Sheet::new(Entity::Employee);
            let mut all: Vec<Step> = whole();
            all.splice(last.min(4).., steps);
            let (draft, wanted) = both(&mut sheet, &all);
            // A value that does not fit is refused even where a later one takes its place.
            if let Ok(draft) = draft {
                prop_assert_eq!(Some(draft), wanted);
            } else {
                let refused = all.iter().any(|(at, value)| {
                    let mut alone = Sheet::new(Entity::Employee);
                    value.as_ref().is_some_and(|value| alone.set_at(*at, value).is_err())
                });
                prop_assert!(refused || wanted.is_none());
            }
        }
    }
}
