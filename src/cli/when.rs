//! A moment as people write it: `2026-11-01`, `2026-11-01T08:30`, `2026-11-01T08:30:00+08:00` or `3d` ago.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// A moment, as it was written.
#[derive(Clone, Debug)]
pub(super) struct When {
    text: String,
    at: At,
}

/// Which moment; that depends on the zone and on now.
#[derive(Clone, Debug)]
enum At {
    /// On clocks everywhere.
    Instant(Timestamp),
    /// On the clocks of a zone.
    Local(DateTime),
    /// So long ago.
    Ago(Span),
}

impl When {
    /// Unix milliseconds.
    pub(super) fn ms(&self, now_ms: i64, zone: &TimeZone) -> Result<i64, String> {
        let told = |cause: jiff::Error| cause.to_string();
        let at = match &self.at {
            At::Instant(at) => *at,
            At::Local(at) => zone.to_zoned(*at).map_err(told)?.timestamp(),
            At::Ago(span) => {
                let now = Timestamp::from_millisecond(now_ms).map_err(told)?;
                now.to_zoned(zone.clone()).checked_sub(*span).map_err(told)?.timestamp()
            }
        };
        Ok(at.as_millisecond())
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.contains(' ') {
            write!(f, "\"{}\"", self.text)
        } else {
            f.write_str(&self.text)
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self { text: text.to_owned(), at: text.parse()? })
    }
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(at) = text.parse() {
            return Ok(Self::Instant(at));
        }
        if let Ok(day) = text.parse::<Date>() {
            // jiff reads `2026-11-01T08:30` as a date too, and drops the time.
            let at = if text.contains(['T', 't', ' ']) { text.parse() } else { Ok(day.into()) };
            return at.map(Self::Local).map_err(|cause: jiff::Error| cause.to_string());
        }
        match text.parse::<Span>() {
            Ok(span) if span.is_positive() => Ok(Self::Ago(span)),
            _ => Err("write a day or a time in the tenant's zone, such as 2026-11-01 or 2026-11-01T08:30, \
                 one with an offset, such as 2026-11-01T08:30:00+08:00, or how long ago, such as 90m or 3d"
                .to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-05T12:00:00Z.
    const NOW_MS: i64 = 1_793_880_000_000;

    fn read(text: &str) -> Result<String, String> {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let ms = text.parse::<When>()?.ms(NOW_MS, &zone)?;
        Ok(Timestamp::from_millisecond(ms).unwrap().to_string())
    }

    #[test]
    fn a_moment_is_read_in_the_shapes_people_write() {
        for (text, expected) in [
            ("2026-11-01", "2026-10-31T16:00:00Z"),
            ("2026-11-01T08:30", "2026-11-01T00:30:00Z"),
            ("2026-11-01 08:30", "2026-11-01T00:30:00Z"),
            ("2026-11-01T08:30:00+01:00", "2026-11-01T07:30:00Z"),
            ("2026-11-01T08:30:00Z", "2026-11-01T08:30:00Z"),
            ("3d", "2026-11-02T12:00:00Z"),
            ("90m", "2026-11-05T10:30:00Z"),
            ("1d 2h", "2026-11-04T10:00:00Z"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused_with_examples() {
        for text in ["", "yesterday", "2026-13-01", "-3d", "2026-11-01T25:00", "1793880000"] {
            assert!(read(text).unwrap_err().len() > 20, "{text}");
        }
    }
}
