//! Instants as an API wants them written, in the zone of the description.
//!
//! What this is not: a calendar with zones; a description has one fixed offset. The one invariant: every instant that the
//! host can ask for (years 1970 to 9999) is written right.

const DAY: i64 = 86_400;

/// How an instant is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Unix,
    UnixMs,
    /// `2026-03-31`.
    Date,
    /// `2026-03-31 09:00:00`.
    DateTime,
    /// `2026-03-31T09:00:00+08:00`.
    Rfc3339,
}

impl Form {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "unix" => Some(Self::Unix),
            "unix_ms" => Some(Self::UnixMs),
            "date" => Some(Self::Date),
            "datetime" => Some(Self::DateTime),
            "rfc3339" => Some(Self::Rfc3339),
            _ => None,
        }
    }
}

/// Seconds east of UTC, of `+08:00`, `-03:30` or `Z`.
pub(crate) fn offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text[1..].split_once(':')?;
    let number = |part: &str, most: i64| {
        let two = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<i64>().ok().filter(|number| two && *number <= most)
    };
    Some(sign * (number(hours, 14)? * 3600 + number(minutes, 59)? * 60))
}

/// An instant in Unix seconds, written for a zone `zone` seconds east of UTC.
pub(crate) fn written(at: i64, form: Form, zone: i64) -> String {
    let local = at + zone;
    let (year, month, day) = date(local.div_euclid(DAY));
    let second = local.rem_euclid(DAY);
    let (hours, minutes, seconds) = (second / 3600, second / 60 % 60, second % 60);
    match form {
        Form::Unix => at.to_string(),
        Form::UnixMs => (at * 1000).to_string(),
        Form::Date => format!("{year:04}-{month:02}-{day:02}"),
        Form::DateTime => {
            format!("{year:04}-{month:02}-{day:02} {hours:02}:{minutes:02}:{seconds:02}")
        }
        Form::Rfc3339 => {
            let (sign, east) = if zone < 0 { ('-', -zone) } else { ('+', zone) };
            format!(
                "{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}{sign}{:02}:{:02}",
                east / 3600,
                east / 60 % 60
            )
        }
    }
}

/// The date of a day since 1970, counted in years that begin in March: February's end is then the year's.
fn date(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_in_the_zone_of_the_description() {
        // 2026-03-31 01:00:00 UTC.
        let at = 1_774_918_800;
        let zone = offset("+08:00").unwrap();
        assert_eq!(written(at, Form::Date, zone), "2026-03-31");
        assert_eq!(written(at, Form::DateTime, zone), "2026-03-31 09:00:00");
        assert_eq!(written(at, Form::Rfc3339, zone), "2026-03-31T09:00:00+08:00");
        assert_eq!(written(at, Form::Rfc3339, -12_600), "2026-03-30T21:30:00-03:30");
        assert_eq!(written(at, Form::UnixMs, zone), "1774918800000");
        assert_eq!(written(0, Form::Date, 0), "1970-01-01");
        assert_eq!(written(951_782_400, Form::Date, 0), "2000-02-29");
        assert_eq!(written(253_402_300_799, Form::DateTime, 0), "9999-12-31 23:59:59");
    }

    #[test]
    fn an_offset_is_read_or_refused() {
        assert_eq!(offset("Z"), Some(0));
        assert_eq!(offset("-03:30"), Some(-12_600));
        for bad in ["", "08:00", "+8:00", "+15:00", "+08:60", "+08-00", "+0a:00"] {
            assert_eq!(offset(bad), None, "{bad}");
        }
    }
}
