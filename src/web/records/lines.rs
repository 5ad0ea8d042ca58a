//! Fields of a document's lines, told as `Line 3 · Quantity`, as a table: a row a line, a column a field.

use super::show::FieldLine;

/// The lines of a document.
#[derive(Default)]
pub struct LineTable {
    pub columns: Vec<String>,
    pub rows: Vec<LineRow>,
}

pub struct LineRow {
    pub number: u32,
    pub cells: Vec<Cell>,
}

/// One field of one line; empty where the line has no such field.
#[derive(Default, Clone)]
pub struct Cell {
    pub to: String,
    pub now: String,
    pub differs: bool,
    pub why: String,
}

/// The line and the name in it; None for a field of the head.
fn placed(field: &str) -> Option<(u32, &str)> {
    let (line, name) = field.split_once(" · ")?;
    let number = line.strip_prefix("Line ")?.parse().ok()?;
    Some((number, name))
}

/// Fields of the head.
pub fn heads(fields: Vec<FieldLine>) -> Vec<FieldLine> {
    let is_head = |field: &FieldLine| placed(&field.field).is_none();
    fields.into_iter().filter(is_head).collect()
}

/// Fields of the lines, in the order in which they come.
pub fn table(fields: &[FieldLine]) -> LineTable {
    let mut table = LineTable::default();
    for field in fields {
        if let Some((number, name)) = placed(&field.field) {
            let column = table.column(name);
            let cell = Cell {
                to: field.to.clone(),
                now: field.now.clone(),
                differs: field.differs,
                why: field.why.clone(),
            };
            table.put(number, column, cell);
        }
    }
    let width = table.columns.len();
    for row in &mut table.rows {
        row.cells.resize(width, Cell::default());
    }
    table
}

impl LineTable {
    fn column(&mut self, name: &str) -> usize {
        match self.columns.iter().position(|known| known == name) {
            Some(at) => at,
            None => {
                self.columns.push(name.to_owned());
                self.columns.len().saturating_sub(1)
            }
        }
    }

    /// Lines come one after the other, so the one that is filled is the last.
    fn put(&mut self, number: u32, column: usize, cell: Cell) {
        if self.rows.last().is_none_or(|row| row.number != number) {
            self.rows.push(LineRow {
                number,
                cells: Vec::new(),
            });
        }
        if let Some(row) = self.rows.last_mut() {
            if row.cells.len() <= column {
                row.cells.resize(column.saturating_add(1), Cell::default());
            }
            if let Some(place) = row.cells.get_mut(column) {
                *place = cell;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, to: &str) -> FieldLine {
        FieldLine {
            field: name.to_owned(),
            to: to.to_owned(),
            now: String::new(),
            differs: false,
            why: String::new(),
        }
    }

    #[test]
    fn lines_become_rows_and_heads_stay() {
        let fields = vec![
            field("Supplier", "10"),
            field("Line 1 · Item", "A"),
            field("Line 1 · Quantity", "2 EA"),
            field("Line 2 · Quantity", "3 EA"),
            field("Line 2 · Name", "Bolts · long"),
            field("Address · Town", "Denver"),
        ];
        let lines = table(&fields);
        assert_eq!(lines.columns, ["Item", "Quantity", "Name"]);
        let shown: Vec<(u32, Vec<&str>)> = lines
            .rows
            .iter()
            .map(|row| {
                (
                    row.number,
                    row.cells.iter().map(|cell| cell.to.as_str()).collect(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (1, vec!["A", "2 EA", ""]),
                (2, vec!["", "3 EA", "Bolts · long"])
            ]
        );
        let heads: Vec<String> = heads(fields).into_iter().map(|field| field.field).collect();
        assert_eq!(heads, ["Supplier", "Address · Town"]);
    }
}
