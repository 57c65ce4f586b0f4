//! Real punch cards: two tables of first and last punches, repeated over the calendar and over more people.
//!
//! The format is that of the public case study: a column a working day with `dd/mm/yyyy` in the header, a row a
//! person, `dd/mm/yyyy HH:MM` or `NA` in the cell. Not a general CSV reader: a cell that is neither is an error with
//! its place. The invariant: a date always shows the same column, of the same weekday.

use std::fs;
use std::path::{Path, PathBuf};

use crate::calendar::{from_civil, weekday, workday_number};

/// Punch cards that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CardsError {
    /// The file is missing or unreadable.
    #[error("cannot read the punch cards `{}`; the folder needs in_time.csv and out_time.csv", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A header or a cell is not what it should be.
    #[error("`{}`, line {line}, column {column}: expected {expected}, found `{found}`", path.display())]
    Cell {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// The two files do not fit each other, or hold less than a week.
    #[error("the punch cards in `{}` do not fit: {why}; use in_time.csv and out_time.csv of one data set", folder.display())]
    Shape {
        /// The folder.
        folder: PathBuf,
        /// What does not fit.
        why: &'static str,
    },
}

/// Minutes after midnight of arrival and departure, by person and column.
#[derive(Debug)]
pub(crate) struct Cards {
    first_column: i64,
    /// Whole weeks only, so that a column stays on its weekday.
    columns: usize,
    people: usize,
    cells: Vec<Option<(u16, u16)>>,
    holidays: Vec<bool>,
}

struct Table {
    days: Vec<i64>,
    rows: Vec<Vec<Cell>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Empty,
    Minute(u16),
}

impl Cards {
    pub(crate) fn load(folder: &Path) -> Result<Self, CardsError> {
        let arrivals = load_table(&folder.join("in_time.csv"))?;
        let departures = load_table(&folder.join("out_time.csv"))?;
        let shape = |why| CardsError::Shape { folder: folder.to_owned(), why };
        if arrivals.days != departures.days || arrivals.rows.len() != departures.rows.len() {
            return Err(shape("the files differ in their days or people"));
        }
        let columns = arrivals.days.len() / 5 * 5;
        let Some(first) =
            arrivals.days.first().filter(|_| columns > 0 && !arrivals.rows.is_empty())
        else {
            return Err(shape("they need at least five days and one person"));
        };
        let in_a_row = |(nth, day): (i64, &i64)| {
            weekday(*day) < 5 && workday_number(*day) == workday_number(*first) + nth
        };
        if !(0..).zip(&arrivals.days).all(in_a_row) {
            return Err(shape("the columns are not working days in a row"));
        }
        let mut cells = Vec::with_capacity(columns * arrivals.rows.len());
        for (ins, outs) in arrivals.rows.iter().zip(&departures.rows) {
            let pairs = ins.iter().zip(outs).take(columns);
            cells.extend(pairs.map(|pair| match pair {
                (Cell::Minute(arrive), Cell::Minute(leave)) => Some((*arrive, *leave)),
                (Cell::Empty, _) | (_, Cell::Empty) => None,
            }));
        }
        let holidays = (0..columns)
            .map(|column| cells.iter().skip(column).step_by(columns).all(Option::is_none))
            .collect();
        Ok(Self {
            first_column: workday_number(*first),
            columns,
            people: arrivals.rows.len(),
            cells,
            holidays,
        })
    }

    /// Nobody punched on that day.
    pub(crate) fn is_holiday(&self, day: i64) -> bool {
        self.holidays[self.column(day)]
    }

    /// Minutes after midnight of arrival and departure; people beyond the cards get those of the cards again.
    pub(crate) fn times(&self, person: u32, day: i64) -> Option<(i64, i64)> {
        let row = person as usize % self.people;
        let (arrive, leave) = self.cells[row * self.columns + self.column(day)]?;
        Some((i64::from(arrive), i64::from(leave)))
    }

    fn column(&self, day: i64) -> usize {
        let columns = self.columns.cast_signed() as i64;
        let column = (workday_number(day) - self.first_column).rem_euclid(columns);
        usize::try_from(column).unwrap_or(0)
    }
}

fn load_table(path: &Path) -> Result<Table, CardsError> {
    let text = fs::read_to_string(path)
        .map_err(|source| CardsError::Read { path: path.to_owned(), source })?;
    let wrong = |line: usize, column: usize, expected, found: &str| CardsError::Cell {
        path: path.to_owned(),
        line,
        column,
        expected,
        found: found.to_owned(),
    };
    let mut lines = (1..).zip(text.lines().map(|line| line.trim_start_matches('\u{feff}')));
    let header = lines.next().map_or("", |(_, line)| line);
    let days = (2..)
        .zip(header.split(',').skip(1))
        .map(|(column, cell)| parse_day(cell).ok_or_else(|| wrong(1, column, "dd/mm/yyyy", cell)))
        .collect::<Result<Vec<i64>, _>>()?;
    let mut rows = Vec::new();
    for (line, text) in lines.filter(|(_, line)| !line.is_empty()) {
        let cells: Vec<&str> = text.split(',').skip(1).collect();
        if cells.len() != days.len() {
            return Err(wrong(
                line,
                cells.len() + 1,
                "as many cells as the header has",
                text.get(..20).unwrap_or(text),
            ));
        }
        let row = (2..).zip(cells.iter().zip(&days)).map(|(column, (cell, day))| {
            parse_cell(cell, *day).ok_or_else(|| {
                wrong(line, column, "NA or dd/mm/yyyy HH:MM on the column's day", cell)
            })
        });
        rows.push(row.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(Table { days, rows })
}

fn parse_day(text: &str) -> Option<i64> {
    let mut parts = text.trim().splitn(3, '/');
    let mut next = || parts.next()?.parse::<i64>().ok();
    let (day, month, year) = (next()?, next()?, next()?);
    from_civil(year, month, day)
}

/// Minutes after the column's midnight; a punch after the following midnight counts on.
fn parse_cell(text: &str, day: i64) -> Option<Cell> {
    let text = text.trim();
    if text == "NA" {
        return Some(Cell::Empty);
    }
    let (date, time) = text.split_once(' ')?;
    let (hour, minute) = time.split_once(':')?;
    let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
    let days_on = parse_day(date)? - day;
    if !((0..24).contains(&hour) && (0..60).contains(&minute) && (0..2).contains(&days_on)) {
        return None;
    }
    Some(Cell::Minute(u16::try_from(days_on * 1_440 + hour * 60 + minute).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::parse_date;

    const DAYS: [&str; 6] =
        ["05/01/2015", "06/01/2015", "07/01/2015", "08/01/2015", "09/01/2015", "12/01/2015"];

    /// Two people; the first is away on Tuesday, and nobody came on Wednesday.
    fn table(time: [&str; 2]) -> String {
        let header = DAYS.map(|day| [",", day].concat()).concat();
        let row = |person: usize, away: &[usize]| {
            let cell = |n: usize| {
                if away.contains(&n) {
                    ",NA".to_owned()
                } else {
                    format!(",{} {}", DAYS[n], time[person])
                }
            };
            format!("{}{}", person + 1, (0..6).map(cell).collect::<String>())
        };
        format!("{header}\n{}\n{}\n", row(0, &[1, 2]), row(1, &[2]))
    }

    fn folder(name: &str, arrivals: &str, departures: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("simulator-cards-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("in_time.csv"), arrivals).unwrap();
        fs::write(folder.join("out_time.csv"), departures).unwrap();
        folder
    }

    fn load(name: &str, arrivals: &str, departures: &str) -> Result<Cards, CardsError> {
        let folder = folder(name, arrivals, departures);
        let cards = Cards::load(&folder);
        fs::remove_dir_all(&folder).unwrap();
        cards
    }

    #[test]
    fn a_date_of_any_year_shows_the_column_of_its_weekday() {
        let cards =
            load("weekday", &table(["09:43", "10:15"]), &table(["17:20", "18:00"])).unwrap();
        let monday = parse_date("2026-03-30").unwrap();
        for week in [0, 7, 70, -700] {
            assert_eq!(cards.times(0, monday + week), Some((583, 1_040)));
            assert_eq!(cards.times(0, monday + week + 1), None);
            assert_eq!(cards.times(1, monday + week + 1), Some((615, 1_080)));
            assert_eq!(cards.times(3, monday + week + 1), Some((615, 1_080)));
            assert!(cards.is_holiday(monday + week + 2));
            assert!(!cards.is_holiday(monday + week + 1));
        }
    }

    #[test]
    fn a_bad_cell_is_named_with_its_place() {
        let good = table(["09:43", "10:15"]);
        let bad = good.replacen("05/01/2015 10:15", "05/01/2015 25:15", 1);
        let error = load("cell", &bad, &good).unwrap_err().to_string();
        assert!(error.contains("line 3, column 2") && error.contains("25:15"), "{error}");
    }

    #[test]
    fn files_that_do_not_fit_are_refused() {
        let good = table(["09:43", "10:15"]);
        let fewer = good.lines().take(2).collect::<Vec<_>>().join("\n");
        assert!(matches!(load("rows", &good, &fewer), Err(CardsError::Shape { .. })));
        assert!(matches!(load("empty", "", ""), Err(CardsError::Shape { .. })));
        let gap = good.replace("12/01/2015", "13/01/2015");
        assert!(matches!(load("gap", &gap, &gap), Err(CardsError::Shape { .. })));
    }

    #[test]
    fn a_missing_folder_says_which_files_it_needs() {
        let error = Cards::load(Path::new("no/such/folder")).unwrap_err();
        assert!(error.to_string().contains("needs in_time.csv and out_time.csv"));
    }
}
