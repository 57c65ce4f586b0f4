//! Durations, sizes and shares as a person writes them: a number with its unit, never a bare one.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why a text is no quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// No number with its unit.
    #[error("`{text}` is no {what}; write a number with {units}, as in `{example}`")]
    Form {
        /// What was written.
        text: String,
        /// What was expected.
        what: &'static str,
        /// The units, in words.
        units: &'static str,
        /// A right one.
        example: &'static str,
    },
    /// Outside what is allowed.
    #[error("`{text}` is out of range; write {least} to {most}")]
    Range {
        /// What was written.
        text: String,
        /// The least allowed.
        least: String,
        /// The most allowed.
        most: String,
    },
}

/// A span of time: `500ms`, `60s`, `5m`, `1h`; 1 ms to 1 day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(Duration);

/// A number of bytes: `512KiB`, `64MiB`, `1GiB`; 1 KiB to 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Size(u64);

/// A share: `10%`, `2.5%`; 0 to 100, at most two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Percent(u32);

const SPANS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZES: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

impl Span {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The duration.
    pub fn get(self) -> Duration {
        self.0
    }
}

impl Size {
    /// So many mebibytes.
    pub const fn mebibytes(count: u64) -> Self {
        Self(count << 20)
    }

    /// The number of bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl Percent {
    /// So many whole percent.
    pub const fn whole(percent: u32) -> Self {
        Self(percent * 100)
    }

    /// Hundredths of a percent: 10,000 is the whole.
    pub fn hundredths(self) -> u32 {
        self.0
    }
}

impl FromStr for Span {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let form = || form(text, "duration", "ms, s, m, h or d", "60s");
        let millis = scaled(text, &SPANS).ok_or_else(form)?;
        check(text, millis, 1..=86_400_000, |ms| Self(Duration::from_millis(ms)).to_string())
            .map(|ms| Self(Duration::from_millis(ms)))
    }
}

impl FromStr for Size {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bytes = scaled(text, &SIZES)
            .ok_or_else(|| form(text, "size", "B, KiB, MiB or GiB", "64MiB"))?;
        check(text, bytes, 1 << 10..=4 << 30, |bytes| Self(bytes).to_string()).map(Self)
    }
}

impl FromStr for Percent {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let form = || form(text, "share", "%", "10%");
        let number = text.trim().strip_suffix('%').ok_or_else(form)?.trim();
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        if !digits(whole) || !digits(part) || part.len() > 2 {
            return Err(form());
        }
        let whole: u64 = whole.parse().map_err(|_| form())?;
        let part: u64 = format!("{part:0<2}").parse().map_err(|_| form())?;
        let hundredths = whole.saturating_mul(100).saturating_add(part);
        let hundredths = check(text, hundredths, 0..=10_000, |n| format!("{}%", n / 100))?;
        u32::try_from(hundredths).map(Self).map_err(|_| form())
    }
}

fn form(text: &str, what: &'static str, units: &'static str, example: &'static str) -> UnitError {
    UnitError::Form { text: text.to_owned(), what, units, example }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// A whole number times its unit; a number too large to count saturates.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = (&text[..split], text[split..].trim());
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    digits(number).then(|| number.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(*factor))
}

fn check(
    text: &str,
    value: u64,
    allowed: std::ops::RangeInclusive<u64>,
    show: impl Fn(u64) -> String,
) -> Result<u64, UnitError> {
    if allowed.contains(&value) {
        return Ok(value);
    }
    Err(UnitError::Range {
        text: text.to_owned(),
        least: show(*allowed.start()),
        most: show(*allowed.end()),
    })
}

/// The largest unit that divides a value.
fn show(value: u64, units: &[(&str, u64)], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (name, factor) =
        units.iter().rev().find(|(_, factor)| value.is_multiple_of(*factor)).unwrap_or(&units[0]);
    write!(f, "{}{name}", value / factor)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX), &SPANS, f)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.0, &SIZES, f)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}%"),
            (whole, part) => write!(f, "{whole}.{part:02}%"),
        }
    }
}

super::through_text!(UnitError: Span, Size, Percent);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_reads<T: FromStr<Err = UnitError> + fmt::Display>(text: &str, shown: &str) {
        assert_eq!(text.parse::<T>().map(|v| v.to_string()).as_deref(), Ok(shown));
    }

    #[test]
    fn a_quantity_reads_and_shows() {
        check_reads::<Span>("60s", "1m");
        check_reads::<Span>("1500ms", "1500ms");
        check_reads::<Span>(" 24 h ", "1d");
        check_reads::<Size>("64MiB", "64MiB");
        check_reads::<Size>("1024KiB", "1MiB");
        check_reads::<Percent>("10%", "10%");
        check_reads::<Percent>("2.5 %", "2.50%");
        check_reads::<Percent>("0.05%", "0.05%");
        assert_eq!("2.5%".parse::<Percent>().unwrap().hundredths(), 250);
        assert_eq!("64MiB".parse::<Size>().unwrap().bytes(), 67_108_864);
    }

    #[test]
    fn a_bare_number_is_refused() {
        assert_eq!(
            "60".parse::<Span>().unwrap_err().to_string(),
            "`60` is no duration; write a number with ms, s, m, h or d, as in `60s`"
        );
        for bad in ["", "s", "-1s", "1.5s", "1 parsec", "1S"] {
            assert!(matches!(bad.parse::<Span>(), Err(UnitError::Form { .. })), "{bad}");
        }
        for bad in ["64", "64M", "MiB", "64 mib"] {
            assert!(matches!(bad.parse::<Size>(), Err(UnitError::Form { .. })), "{bad}");
        }
        for bad in ["10", "%", ".5%", "1.234%", "-1%", "1e2%"] {
            assert!(matches!(bad.parse::<Percent>(), Err(UnitError::Form { .. })), "{bad}");
        }
    }

    #[test]
    fn a_quantity_out_of_range_names_the_range() {
        assert_eq!(
            "0s".parse::<Span>().unwrap_err().to_string(),
            "`0s` is out of range; write 1ms to 1d"
        );
        assert_eq!(
            "5GiB".parse::<Size>().unwrap_err().to_string(),
            "`5GiB` is out of range; write 1KiB to 4GiB"
        );
        assert_eq!(
            "101%".parse::<Percent>().unwrap_err().to_string(),
            "`101%` is out of range; write 0% to 100%"
        );
        assert!("99999999999999999999999d".parse::<Span>().is_err());
        assert!("99999999999999999999999%".parse::<Percent>().is_err());
    }
}
