//! Mapping tables as comma-separated text (RFC 4180), in and out without loss.
//!
//! What a spreadsheet would run as a formula gets an apostrophe before it on the way out, which the way in takes away
//! again. Numbers stay as they are: `-5` is no formula.

use super::csv::{self, FORMULA, QUOTE};
use super::fault::Issue;
use super::mapping::{Column, Columns, ERP_WORD, PROJECT_WORD, Row, Side};

const BOM: char = '\u{feff}';
const NOTE: &str = "note";
/// Where faults of the header are told: they are every row's, the first one's too.
const HEADER: &str = "/rows/0";

/// The whole table with its header row, one line a row.
#[must_use]
pub fn written(columns: &Columns, rows: &[Row]) -> String {
    let project = columns.project_side.iter().map(|column| column.name);
    let erp = columns.erp_side.iter().map(|column| column.name);
    let header: Vec<String> = project
        .clone()
        .map(|name| format!("{PROJECT_WORD}.{name}"))
        .chain(erp.clone().map(|name| format!("{ERP_WORD}.{name}")))
        .chain([NOTE.to_owned()])
        .collect();
    let mut text = csv::row(header.iter().map(String::as_str));
    for row in rows {
        let of = |side: &'_ Side, name: &str| side.get(name).cloned().unwrap_or_default();
        let cells: Vec<String> = project
            .clone()
            .map(|name| of(&row.project_side, name))
            .chain(erp.clone().map(|name| of(&row.erp_side, name)))
            .chain([row.note.clone()])
            .collect();
        text.push_str(&csv::row(cells.iter().map(String::as_str)));
    }
    text
}

fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    let is_digit = |letter: char| letter.is_ascii_digit();
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    !whole.is_empty() && !fraction.is_empty() && whole.chars().chain(fraction.chars()).all(is_digit)
}

fn unescaped(cell: &str) -> &str {
    match cell.strip_prefix(QUOTE) {
        // The mark before a formula or another mark is ours; before a number other programs put it.
        Some(rest) if rest.starts_with(QUOTE) || rest.starts_with(FORMULA) || is_number(rest) => {
            rest
        }
        _ => cell,
    }
}

/// Reads a table. Rows count from 0 after the header; blank lines are no rows.
///
/// # Errors
/// Everything that is wrong, at `/rows/{n}` or, for the file as a whole, at `/`.
pub fn read(columns: &Columns, bytes: &[u8]) -> Result<Vec<Row>, Vec<Issue>> {
    let whole = |code: &str, says: &str| vec![Issue::new("", code, says)];
    let text = std::str::from_utf8(bytes).map_err(|_| {
        whole(
            "not_utf8",
            "the file is not UTF-8 text; save it as CSV UTF-8",
        )
    })?;
    let text = text.strip_prefix(BOM).unwrap_or(text);
    let mut lines = Lines::of(text)
        .collect::<Result<Vec<_>, Issue>>()
        .map_err(|issue| vec![issue])?;
    lines.retain(|cells| !cells.iter().all(|cell| cell.trim().is_empty()));
    let mut lines = lines.into_iter();
    let Some(header) = lines.next() else {
        return Err(whole(
            "empty",
            "the file is empty; a table is cleared by saving it without rows, not by an empty file",
        ));
    };
    let places = places(columns, &header)?;
    let (mut rows, mut issues) = (Vec::new(), Vec::new());
    for (at, cells) in lines.enumerate() {
        if cells.len() > places.len()
            && cells.iter().skip(places.len()).any(|cell| !cell.is_empty())
        {
            let says = format!(
                "{} cells, but the header names {} columns",
                cells.len(),
                places.len()
            );
            issues.push(Issue::new(format!("/rows/{at}"), "too_many_cells", says));
        }
        if cells.len() < places.len() {
            let says = format!(
                "{} cells, but the header names {} columns",
                cells.len(),
                places.len()
            );
            issues.push(Issue::new(format!("/rows/{at}"), "too_few_cells", says));
        }
        rows.push(row(&places, &cells));
    }
    if rows.is_empty() {
        return Err(whole(
            "empty",
            "the file has a header and no rows; send [] as JSON to clear the table",
        ));
    }
    if issues.is_empty() {
        Ok(rows)
    } else {
        Err(issues)
    }
}

/// Where a column of the file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Project(&'static str),
    Erp(&'static str),
    Note,
    /// A column without a name and, as far as it was looked at, without content.
    Nothing,
}

fn places(columns: &Columns, header: &[String]) -> Result<Vec<Place>, Vec<Issue>> {
    let (mut places, mut issues) = (Vec::new(), Vec::new());
    for name in header {
        let name = name.trim();
        let known = |side: &[Column], prefix: &str| {
            let word = name.strip_prefix(prefix)?.strip_prefix('.')?;
            side.iter()
                .find(|column| column.name == word)
                .map(|column| column.name)
        };
        let place = match (
            known(columns.project_side, PROJECT_WORD),
            known(columns.erp_side, ERP_WORD),
        ) {
            (Some(name), _) => Place::Project(name),
            (None, Some(name)) => Place::Erp(name),
            (None, None) if name == NOTE => Place::Note,
            (None, None) if name.is_empty() => Place::Nothing,
            (None, None) => {
                issues.push(unknown(columns, name));
                Place::Nothing
            }
        };
        if place != Place::Nothing && places.contains(&place) {
            let says = format!("the column {name} is there twice");
            issues.push(Issue::new(HEADER, "duplicate_column", says));
        }
        places.push(place);
    }
    if issues.is_empty() {
        Ok(places)
    } else {
        Err(issues)
    }
}

fn unknown(columns: &Columns, name: &str) -> Issue {
    let project = columns
        .project_side
        .iter()
        .map(|column| format!("{PROJECT_WORD}.{}", column.name));
    let erp = columns
        .erp_side
        .iter()
        .map(|column| format!("{ERP_WORD}.{}", column.name));
    let known: Vec<String> = project.chain(erp).chain([NOTE.to_owned()]).collect();
    let hint = if name.contains(';') || name.contains('\t') {
        " Columns are separated by commas."
    } else {
        ""
    };
    let says = format!(
        "{name} is not a column here; the columns are {}.{hint}",
        known.join(", ")
    );
    Issue::new(HEADER, "unknown_column", says)
}

fn row(places: &[Place], cells: &[String]) -> Row {
    let mut row = Row {
        id: None,
        project_side: Side::new(),
        erp_side: Side::new(),
        note: String::new(),
    };
    for (place, cell) in places.iter().zip(cells) {
        let text = unescaped(cell).to_owned();
        // An empty cell and an absent one mean the same.
        match place {
            Place::Project(name) if !text.is_empty() => {
                row.project_side.insert((*name).to_owned(), text);
            }
            Place::Erp(name) if !text.is_empty() => {
                row.erp_side.insert((*name).to_owned(), text);
            }
            Place::Note => row.note = text,
            Place::Project(_) | Place::Erp(_) | Place::Nothing => {}
        }
    }
    row
}

/// The records of a text, taken apart by RFC 4180. Line ends may be of any system.
struct Lines<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    number: usize,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            rest: text.chars().peekable(),
            number: 0,
        }
    }

    fn quoted(&mut self) -> Result<String, Issue> {
        let mut cell = String::new();
        loop {
            match self.rest.next() {
                Some('"') if self.rest.peek() == Some(&'"') => {
                    self.rest.next();
                    cell.push('"');
                }
                Some('"') => return Ok(cell),
                Some(letter) => cell.push(letter),
                None => {
                    let at = self.number.saturating_sub(1);
                    let says = "a quotation mark is opened and never closed";
                    return Err(Issue::new(format!("/rows/{at}"), "malformed", says));
                }
            }
        }
    }

    fn line(&mut self) -> Result<Vec<String>, Issue> {
        let mut cells = Vec::new();
        loop {
            let (cell, is_last) = self.cell()?;
            cells.push(cell);
            if is_last {
                return Ok(cells);
            }
        }
    }

    /// A cell, and whether its line ends with it. Blanks around a cell are kept only if they are quoted.
    fn cell(&mut self) -> Result<(String, bool), Issue> {
        let (mut cell, mut is_quoted) = (String::new(), false);
        let is_last = loop {
            match self.rest.next() {
                Some('"') if !is_quoted && cell.trim().is_empty() => {
                    cell = self.quoted()?;
                    is_quoted = true;
                }
                Some(',') => break false,
                Some('\r') if self.rest.peek() == Some(&'\n') => {}
                Some('\n' | '\r') | None => break true,
                Some(letter) if is_quoted && letter.is_whitespace() => {}
                Some(letter) => cell.push(letter),
            }
        };
        let cell = if is_quoted {
            cell
        } else {
            cell.trim().to_owned()
        };
        Ok((cell, is_last))
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<Vec<String>, Issue>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest.peek()?;
        let line = self.line();
        self.number = self.number.saturating_add(1);
        if line.is_err() {
            // What follows an open quotation mark cannot be told apart.
            while self.rest.next().is_some() {}
        }
        Some(line)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::mapping::MappingKind;

    const fn column(name: &'static str) -> Column {
        Column {
            name,
            label: name,
            required: false,
            key: false,
        }
    }

    static COLUMNS: Columns = Columns {
        kind: MappingKind::CostCodes,
        project_side: &[column("cost_code"), column("cost_type")],
        erp_side: &[column("ait1"), column("ait2")],
    };

    fn row(cells: [&str; 5]) -> Row {
        let [cost_code, cost_type, ait1, ait2, note] = cells;
        let side = |cells: &[(&str, &str)]| -> Side {
            cells
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        Row {
            id: None,
            project_side: side(&[("cost_code", cost_code), ("cost_type", cost_type)]),
            erp_side: side(&[("ait1", ait1), ("ait2", ait2)]),
            note: note.to_owned(),
        }
    }

    #[test]
    fn what_goes_out_comes_back_as_it_was() {
        let cells = [
            "03-300",
            "007",
            "0",
            "-5",
            "+1.50",
            "-",
            "=1+1",
            "'=1+1",
            "''=1",
            "'quoted'",
            "+cmd",
            "-2+3",
            "@SUM(A1)",
            "\ttab",
            "\rreturn",
            "＝full",
            "＋1",
            "a,b",
            "a;b",
            "say \"so\"",
            "two\nlines",
            "crlf\r\nline",
            " padded ",
            "  =x",
            "'",
            "\"",
            ",",
            "é 東京",
            "'-5",
            "1e5",
            "\u{feff}bom",
        ];
        let rows: Vec<Row> = cells
            .iter()
            .map(|cell| row([cell, "", cell, "x", cell]))
            .collect();
        let text = written(&COLUMNS, &rows);
        let read = read(&COLUMNS, text.as_bytes()).unwrap();
        for (at, cell) in cells.iter().enumerate() {
            assert_eq!(read.get(at), rows.get(at), "{cell:?}");
        }
        for line in text.lines().skip(1) {
            for cell in line.split(',') {
                let bare = cell.trim_start_matches('"');
                let opens = bare.starts_with(FORMULA) && !is_number(bare.trim_end_matches('"'));
                assert!(!opens, "{line}");
            }
        }
    }

    #[test]
    fn a_file_is_read_whichever_program_wrote_it() {
        let want = vec![row(["03-300", "M", "0051", "", ""])];
        for text in [
            "procore.cost_code,procore.cost_type,erp.ait1\n03-300,M,0051\n",
            "procore.cost_code, procore.cost_type ,erp.ait1\n 03-300 , \"M\" ,\t0051\n",
            "\u{feff}procore.cost_code,procore.cost_type,erp.ait1,note\r\n03-300,M,0051,\r\n\r\n",
            "\"erp.ait1\",\"procore.cost_type\",\"procore.cost_code\"\n\"0051\",\"M\",\"03-300\"",
            "erp.ait1,procore.cost_type,procore.cost_code,,\n0051,M,03-300,,\n,,,,\n",
            "erp.ait1,procore.cost_type,procore.cost_code\r'0051,M,03-300\r",
        ] {
            assert_eq!(read(&COLUMNS, text.as_bytes()).unwrap(), want, "{text:?}");
        }
    }

    #[test]
    fn every_fault_is_told_with_its_row() {
        for (text, want) in [
            ("", ":empty"),
            ("\u{feff}\n\n", ":empty"),
            ("procore.cost_code,erp.ait1\n", ":empty"),
            (
                "procore.cost_code,erp.colour,x\na,b,c\n",
                "/rows/0:unknown_column /rows/0:unknown_column",
            ),
            (
                "procore.cost_code;erp.ait1\na;b\n",
                "/rows/0:unknown_column",
            ),
            ("erp.ait1,erp.ait1\na,b\n", "/rows/0:duplicate_column"),
            (
                "procore.cost_code,erp.ait1\na,b\na,b,c\na\n",
                "/rows/1:too_many_cells /rows/2:too_few_cells",
            ),
            (
                "procore.cost_code,erp.ait1\na,b\n\"a,b\n",
                "/rows/1:malformed",
            ),
        ] {
            let issues = read(&COLUMNS, text.as_bytes()).unwrap_err();
            let told: Vec<String> = issues
                .iter()
                .map(|issue| format!("{}:{}", issue.field, issue.code))
                .collect();
            assert_eq!(told.join(" "), want, "{text:?}");
        }
        let latin = b"procore.cost_code,erp.ait1\n\xe9,b\n";
        assert_eq!(read(&COLUMNS, latin).unwrap_err().len(), 1);
    }
}
