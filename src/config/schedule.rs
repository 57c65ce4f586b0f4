//! When runs start, and in which time zone a tenant lives.

use std::fmt;
use std::str::FromStr;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use crate::model::schema::nearest;

/// Why a text is no schedule, zone or region.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Not five fields that make sense.
    #[error(
        "`{text}` is no cron schedule: {reason}; write minute, hour, day, month, weekday, as in `*/15 * * * *`"
    )]
    Cron {
        /// What was written.
        text: String,
        /// What the parser says.
        reason: String,
    },
    /// Five fields that no day fulfils.
    #[error("`{text}` never comes; give it a day that exists, or write `*`")]
    Never {
        /// What was written.
        text: String,
    },
    /// No such time zone.
    #[error("`{text}` is no time zone; {advice}")]
    Zone {
        /// What was written.
        text: String,
        /// What to write.
        advice: String,
    },
    /// Not two letters.
    #[error("`{text}` is no region; write the two capital letters of ISO 3166, such as `CN`")]
    Region {
        /// What was written.
        text: String,
    },
}

/// A cron schedule of five fields, to the minute, read on the wall clock of a zone; or `never`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Schedule(Option<Cron>);

const NEVER: &str = "never";

impl Schedule {
    /// The first time after `after_ms` (Unix milliseconds) that the schedule names, in Unix milliseconds. `None` when there
    /// is none within the years that cron searches.
    pub fn next(&self, after_ms: i64, zone: &Zone) -> Option<i64> {
        let after = Timestamp::from_millisecond(after_ms).ok()?.to_zoned(zone.0.clone());
        let next: Zoned = self.0.as_ref()?.find_next_occurrence(&after, false).ok()?;
        Some(next.timestamp().as_millisecond())
    }
}

impl Schedule {
    /// Every night, at a minute at which platforms are not busy.
    pub fn nightly() -> Self {
        Self::known("17 3 * * *")
    }

    fn known(text: &str) -> Self {
        text.parse().expect("the default schedules parse; a test shows it")
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        if text.trim() == NEVER {
            return Ok(Self(None));
        }
        let parser =
            CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|error| ScheduleError::Cron {
            text: text.to_owned(),
            reason: error.to_string().trim_end_matches('.').to_owned(),
        })?;
        let schedule = Self(Some(cron));
        match schedule.next(0, &Zone(TimeZone::UTC)) {
            Some(_) => Ok(schedule),
            None => Err(ScheduleError::Never { text: text.to_owned() }),
        }
    }
}

impl Default for Schedule {
    /// Every quarter of an hour.
    fn default() -> Self {
        Self::known("*/15 * * * *")
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_ref().map_or(NEVER, Cron::as_str))
    }
}

/// An IANA time zone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone's name, such as `Asia/Shanghai`.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The zone itself.
    pub fn time_zone(&self) -> &TimeZone {
        &self.0
    }
}

impl FromStr for Zone {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        TimeZone::get(text.trim()).map(Self).map_err(|_| {
            let names: Vec<String> =
                jiff::tz::db().available().map(|name| name.to_string()).collect();
            let advice = match nearest(text, names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write an IANA name, such as `Asia/Shanghai`".to_owned(),
            };
            ScheduleError::Zone { text: text.to_owned(), advice }
        })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

/// A country, as two letters: how phone numbers without a country code are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(String);

impl Region {
    /// The two letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Region {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        if text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()) {
            return Ok(Self(text.to_owned()));
        }
        Err(ScheduleError::Region { text: text.to_owned() })
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

super::through_text!(ScheduleError: Schedule, Zone, Region);

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, zone: &str, after: &str) -> String {
        let zone: Zone = zone.parse().unwrap();
        let after: Timestamp = after.parse().unwrap();
        let at = schedule.parse::<Schedule>().unwrap().next(after.as_millisecond(), &zone).unwrap();
        Timestamp::from_millisecond(at).unwrap().to_string()
    }

    #[test]
    fn a_schedule_follows_the_wall_clock_of_its_zone() {
        assert_eq!(
            next("30 2 * * *", "Asia/Shanghai", "2026-03-01T00:00:00Z"),
            "2026-03-01T18:30:00Z"
        );
        assert_eq!(next("*/15 * * * *", "UTC", "2026-03-01T00:15:00Z"), "2026-03-01T00:30:00Z");
        assert_eq!(
            next("0 9 * * MON", "Europe/Berlin", "2026-03-28T00:00:00Z"),
            "2026-03-30T07:00:00Z"
        );
    }

    #[test]
    fn the_default_is_every_quarter_of_an_hour() {
        assert_eq!(Schedule::default().to_string(), "*/15 * * * *");
    }

    #[test]
    fn a_bad_schedule_says_what_is_wrong() {
        let error = |text: &str| text.parse::<Schedule>().unwrap_err();
        assert!(matches!(error("every day"), ScheduleError::Cron { .. }));
        assert!(matches!(error("61 * * * *"), ScheduleError::Cron { .. }));
        assert!(matches!(error("0 */5 * * * *"), ScheduleError::Cron { .. }));
        assert!(matches!(error(""), ScheduleError::Cron { .. }));
        assert_eq!(
            error("0 0 31 2 *").to_string(),
            "`0 0 31 2 *` never comes; give it a day that exists, or write `*`"
        );
    }

    #[test]
    fn a_misspelt_zone_finds_its_name() {
        let error = |text: &str| text.parse::<Zone>().unwrap_err().to_string();
        assert_eq!(
            error("Asia/Shangai"),
            "`Asia/Shangai` is no time zone; did you mean `Asia/Shanghai`?"
        );
        assert_eq!(
            error("+08:00"),
            "`+08:00` is no time zone; write an IANA name, such as `Asia/Shanghai`"
        );
        assert_eq!("asia/shanghai".parse::<Zone>().unwrap().name(), "Asia/Shanghai");
    }

    #[test]
    fn a_region_is_two_capitals() {
        assert_eq!("CN".parse::<Region>().unwrap().as_str(), "CN");
        assert!("cn".parse::<Region>().is_err() && "CHN".parse::<Region>().is_err());
    }
}
