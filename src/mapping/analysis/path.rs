//! The way to a part of a record: `orders[].department_id`.
//!
//! Not here: which ways exist (`known`). The invariant: what is shown and what is parsed are the same.

use std::fmt;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Step {
    /// A property.
    Key(Box<str>),
    /// Any element of a list.
    Item,
}

/// A way from the record to a part of it; empty for the record itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Path(Vec<Step>);

/// Most steps that are followed.
const STEPS: usize = 32;

impl Path {
    /// The property below, `None` where the way gets too long.
    pub(crate) fn key(&self, key: &str) -> Option<Self> {
        self.step(Step::Key(key.into()))
    }

    /// Any element of the list here.
    pub(crate) fn item(&self) -> Option<Self> {
        self.step(Step::Item)
    }

    fn step(&self, step: Step) -> Option<Self> {
        (self.0.len() < STEPS).then(|| {
            let mut steps = self.0.clone();
            steps.push(step);
            Self(steps)
        })
    }

    /// The steps from the record on.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Reads `orders[].department_id`.
    pub(crate) fn parse(text: &str) -> Self {
        let mut steps = Vec::new();
        for part in text.split('.').filter(|part| !part.is_empty()) {
            let mut name = part;
            let mut lists = 0;
            while let Some(rest) = name.strip_suffix("[]") {
                (name, lists) = (rest, lists + 1);
            }
            if !name.is_empty() {
                steps.push(Step::Key(name.into()));
            }
            steps.extend((0..lists).map(|_| Step::Item));
        }
        Self(steps)
    }
}

impl FromIterator<Step> for Path {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if nth == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_reads_as_it_is_shown() {
        for text in ["name", "orders[].department_id", "a.b[][].c", ""] {
            assert_eq!(Path::parse(text).to_string(), text);
        }
    }

    #[test]
    fn a_way_has_an_end() {
        let mut path = Path::default();
        let mut steps = 0;
        while let Some(longer) = path.item() {
            (path, steps) = (longer, steps + 1);
        }
        assert_eq!(steps, STEPS);
    }
}
