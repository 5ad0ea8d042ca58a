//! EXPORTMI: rows of a table as one text each.
//!
//! Source: EXPORTMI notes and samples, read 2026-11-22: columns joined by SEPC, headings first
//! when HDRS is 1, 984 characters a row at most. Assumed: the separator when none is given;
//! headings count as a row; which errors there are.

use super::super::ask::{Answer, Ask, Fields, Outcome};
use super::super::catalog;
use super::super::nok::Nok;
use super::super::order::Order;
use super::super::shape;
use super::super::supplier::Supplier;
use super::super::world::World;
use super::export_query::{Comparison, Condition, Query};

const ROW_WIDTH: usize = 984;
const SEPARATOR_USUAL: &str = ";";

/// A table with its prefix and a transaction that shows its fields.
struct Table {
    name: &'static str,
    prefix: &'static str,
    shown_by: (&'static str, &'static str),
}

const TABLES: [Table; 3] = [
    Table {
        name: "MPHEAD",
        prefix: "IA",
        shown_by: ("PPSSPPMI", "LstSupHead"),
    },
    Table {
        name: "MPLINE",
        prefix: "IB",
        shown_by: ("PPS200MI", "LstLine"),
    },
    Table {
        name: "CIDMAS",
        prefix: "ID",
        shown_by: ("CRS620MI", "GetBasicData"),
    },
];

/// Fields that every table has.
const ALWAYS: [&str; 5] = ["CONO", "RGDT", "LMDT", "CHNO", "LMTS"];

pub(super) fn select(world: &World, ask: &Ask) -> Outcome {
    let query = Query::read(ask.text("QERY")).map_err(|reason| unreadable(&reason))?;
    let table = TABLES.iter().find(|table| table.name == query.table);
    let table = table.ok_or_else(|| unreadable(&format!("no table {}", query.table)))?;
    let conditions = query.any_of.iter().flatten();
    let named = conditions.map(|condition| &condition.column);
    let shown = query.columns.iter().filter(|_| !query.counts());
    for column in shown.chain(named) {
        table.field(column)?;
    }
    let rows = candidates(world, table, &query).into_iter();
    let rows = rows.filter(|row| table.admits(&query, row));
    Ok(written(ask, table, &query, rows))
}

fn written<'a>(
    ask: &Ask,
    table: &Table,
    query: &Query,
    rows: impl Iterator<Item = &'a Fields>,
) -> Answer {
    let separator = ask
        .given
        .get("SEPC")
        .map_or(SEPARATOR_USUAL, String::as_str);
    let heading = (ask.text("HDRS") == "1").then(|| query.columns.join(separator));
    let texts: Vec<String> = if query.counts() {
        vec![rows.count().to_string()]
    } else {
        let of_row = |row: &Fields| {
            let columns = query.columns.iter();
            let values: Vec<&str> = columns.map(|column| table.value(column, row)).collect();
            values.join(separator)
        };
        rows.take(ask.max_records).map(of_row).collect()
    };
    let is_padded = ask.transaction.name == "SelectPad";
    ask.list(heading.into_iter().chain(texts), |text, _| {
        let text = shape::cut(text, ROW_WIDTH);
        Some(if is_padded {
            format!("{text:<ROW_WIDTH$}")
        } else {
            text
        })
    })
}

/// The rows that an index leads to, or all.
fn candidates<'a>(world: &'a World, table: &Table, query: &Query) -> Vec<&'a Fields> {
    let equals = |field: &str| {
        let [only] = query.any_of.as_slice() else {
            return None;
        };
        let is_it = |condition: &&Condition| {
            condition.comparison == Comparison::Equal
                && condition.column.strip_prefix(table.prefix) == Some(field)
        };
        only.iter()
            .find(is_it)
            .map(|condition| condition.value.trim_end())
    };
    let head = |order: &'a Order| &order.head;
    let fields = |supplier: &'a Supplier| &supplier.fields;
    if table.name == "MPHEAD" {
        if let Some(number) = equals("PUNO") {
            return world.orders.get(number).map(head).into_iter().collect();
        }
        if let Some(reference) = equals("YRE1") {
            return world.orders.with_reference(reference).map(head).collect();
        }
        if let Some(supplier) = equals("SUNO") {
            return world.orders.of_supplier(supplier, 0).map(head).collect();
        }
        return world.orders.all().map(head).collect();
    }
    if table.name == "MPLINE" {
        let asked = equals("PUNO");
        let orders = world.orders.all();
        let asked = orders.filter(|order| asked.is_none_or(|number| order.text("PUNO") == number));
        return asked
            .flat_map(|order| order.lines.values().map(|line| &line.fields))
            .collect();
    }
    if let Some(number) = equals("SUNO") {
        return world
            .suppliers
            .get(number)
            .map(fields)
            .into_iter()
            .collect();
    }
    for field in ["VRNO", "CORG", "SUNM"] {
        let found = equals(field).and_then(|value| world.suppliers.with_value(field, value));
        if let Some(found) = found {
            return found.into_iter().map(fields).collect();
        }
    }
    world.suppliers.all().map(fields).collect()
}

impl Table {
    /// The field behind a column of this table.
    fn field(&self, column: &str) -> Result<&'static str, Nok> {
        let name = column.strip_prefix(self.prefix).unwrap_or_default();
        let (program, transaction) = self.shown_by;
        let outputs = catalog::find(program, transaction).map(|known| known.outputs.iter());
        let shown = outputs.into_iter().flatten().map(|field| field.name);
        let known = shown.chain(ALWAYS).find(|known| *known == name);
        known.ok_or_else(|| unreadable(&format!("no column {column} in {}", self.name)))
    }

    fn value<'a>(&self, column: &str, row: &'a Fields) -> &'a str {
        let field = column.strip_prefix(self.prefix).unwrap_or_default();
        row.get(field).map_or("", String::as_str)
    }

    fn admits(&self, query: &Query, row: &Fields) -> bool {
        let holds = |condition: &Condition| condition.holds(self.value(&condition.column, row));
        let mut alternatives = query.any_of.iter();
        query.any_of.is_empty() || alternatives.any(|all| all.iter().all(holds))
    }
}

fn unreadable(reason: &str) -> Nok {
    Nok::refused(
        "CPF9898",
        "QERY",
        format!("The query cannot be read: {reason}"),
    )
}
