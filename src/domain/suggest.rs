//! Proposals for mapping tables: what both systems have, compared by code, number, name and by what other rows do.
//! A proposal is never applied by itself. Pure.

use std::collections::BTreeMap;

use super::catalogue::Offer;
use super::mapping::{CodedLine, MappingKind, Row, Side, Tables, value};
use super::name::plain_name;
use super::records::Coding;

/// A row that a person may accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    pub row: Row,
    /// What both sides are called.
    pub project_name: String,
    pub erp_name: String,
    /// 0 to 100.
    pub score: u8,
    pub reason: String,
}

/// What proposals are made from.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    pub tables: &'a Tables,
    pub project: &'a [Offer],
    pub erp: &'a [Offer],
    /// Source and target keys that are linked already.
    pub linked: &'a [(String, String)],
}

/// Proposals for one table, the best first.
#[must_use]
pub fn suggestions(kind: MappingKind, known: Known<'_>) -> Vec<Suggestion> {
    let mut found = match kind {
        MappingKind::CostCodes => cost_codes(known),
        MappingKind::Vendors => vendors(known),
        MappingKind::Projects => projects(known),
        MappingKind::Items => items(known),
        MappingKind::Units | MappingKind::PaymentTerms | MappingKind::Currencies => {
            codes(kind, known)
        }
        MappingKind::Accounts | MappingKind::TaxCodes => Vec::new(),
    };
    found.sort_by(|one, two| {
        let by_score = two.score.cmp(&one.score);
        by_score.then_with(|| one.row.project_side.cmp(&two.row.project_side))
    });
    found
}

/// A match of one kind.
struct Match {
    erp_side: Side,
    erp_name: String,
    score: u8,
    reason: String,
}

impl Match {
    fn of(offer: &Offer, score: u8, reason: impl Into<String>) -> Self {
        Self {
            erp_side: offer.side.clone(),
            erp_name: offer.name.clone(),
            score,
            reason: reason.into(),
        }
    }

    fn proposed(self, project_side: Side, project_name: &str) -> Suggestion {
        Suggestion {
            row: Row {
                id: None,
                project_side,
                erp_side: self.erp_side,
                note: String::new(),
            },
            project_name: project_name.to_owned(),
            erp_name: self.erp_name,
            score: self.score,
            reason: self.reason,
        }
    }
}

/// The best of what was found; the first of equals.
fn best(found: impl IntoIterator<Item = Match>) -> Option<Match> {
    let mut best: Option<Match> = None;
    for one in found {
        if best.as_ref().is_none_or(|known| one.score > known.score) {
            best = Some(one);
        }
    }
    best
}

/// One of several that are alike is less sure.
const AMBIGUOUS: u8 = 30;

/// The offers that `is_it` picks, as one match: with several of them it is the first, and says so.
fn among(
    offers: &[Offer],
    is_it: impl Fn(&Offer) -> bool,
    score: u8,
    reason: &str,
) -> Option<Match> {
    let found: Vec<&Offer> = offers.iter().filter(|offer| is_it(offer)).collect();
    match found.as_slice() {
        [] => None,
        [only] => Some(Match::of(only, score, reason)),
        [first, ..] => {
            let says = format!("{reason}; {} of them are alike", found.len());
            Some(Match::of(first, score.saturating_sub(AMBIGUOUS), says))
        }
    }
}

fn cell<'a>(side: &'a Side, column: &str) -> &'a str {
    value(side, column).unwrap_or_default()
}

/// Letters and digits alone, so that `03-300` and `03300` are one.
fn bare(text: &str) -> String {
    let signs = text.chars().filter(|sign| sign.is_alphanumeric());
    signs.flat_map(char::to_uppercase).collect()
}

fn is_same_name(one: &str, two: &str) -> bool {
    let (one, two) = (plain_name(one).core, plain_name(two).core);
    !one.is_empty() && one == two
}

fn fact<'a>(offer: &'a Offer, name: &str) -> Option<&'a str> {
    offer.facts.get(name).map(String::as_str)
}

fn cost_codes(known: Known<'_>) -> Vec<Suggestion> {
    let rows = known.tables.rows(MappingKind::CostCodes);
    let mut unmapped: BTreeMap<Coding, &Offer> = BTreeMap::new();
    for offer in known.project {
        let coding = Coding {
            cost_code: cell(&offer.side, "cost_code").to_owned(),
            cost_type: cell(&offer.side, "cost_type").to_owned(),
            sub_job: cell(&offer.side, "sub_job").to_owned(),
        };
        let line = CodedLine {
            project_key: cell(&offer.side, "project_id"),
            coding: &coding,
        };
        if known.tables.cost_code(line).is_none() {
            unmapped.entry(coding).or_insert(offer);
        }
    }
    let found = unmapped.into_iter().filter_map(|(coding, offer)| {
        let by_account = accounts(&coding, &offer.name, known.erp)
            .into_iter()
            .map(|mut found| {
                found.erp_side.extend(shared(rows, &coding));
                found
            });
        let found = best(by_account.chain(neighbours(rows, &coding, known.erp)))?;
        let mut side = offer.side.clone();
        // One row serves all projects.
        side.remove("project_id");
        Some(found.proposed(side, &offer.name))
    });
    found.collect()
}

/// Accounts of the same code or the same name.
fn accounts(coding: &Coding, name: &str, erp: &[Offer]) -> Vec<Match> {
    let account = |offer: &Offer| cell(&offer.side, "ait1").to_owned();
    let exact = |offer: &Offer| account(offer) == coding.cost_code;
    let plain = |offer: &Offer| bare(&account(offer)) == bare(&coding.cost_code);
    // A code's name may end with the name of its type.
    let own = name.rsplit_once('.').map_or(name, |(own, _)| own);
    let named = |offer: &Offer| is_same_name(&offer.name, name);
    let named_so = |offer: &Offer| is_same_name(&offer.name, own);
    [
        among(erp, exact, 95, "the account has the same code"),
        among(
            erp,
            plain,
            85,
            "the account has the same code but for its punctuation",
        ),
        among(erp, named, 80, "the account has the same name"),
        among(
            erp,
            named_so,
            75,
            "the account has the name of the cost code",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The first part of a code: what it is a kind of.
fn group(code: &str) -> &str {
    code.split(['-', '.', ' ', '/']).next().unwrap_or(code)
}

/// Rows of the same cost type, those of the same group of codes where there are some.
fn like<'a>(rows: &'a [Row], coding: &Coding) -> (Vec<&'a Row>, bool) {
    let of_type: Vec<&Row> = rows
        .iter()
        .filter(|row| cell(&row.project_side, "cost_type") == coding.cost_type)
        .collect();
    let of_group: Vec<&Row> = of_type
        .iter()
        .copied()
        .filter(|row| group(cell(&row.project_side, "cost_code")) == group(&coding.cost_code))
        .collect();
    if of_group.is_empty() {
        (of_type, false)
    } else {
        (of_group, true)
    }
}

/// What all rows like it say beside the account.
fn shared(rows: &[Row], coding: &Coding) -> Side {
    let (rows, _) = like(rows, coding);
    let mut side = unanimous(&rows);
    side.remove("ait1");
    side
}

fn unanimous(rows: &[&Row]) -> Side {
    let Some((first, rest)) = rows.split_first() else {
        return Side::new();
    };
    let is_shared = |(column, text): &(&String, &String)| {
        rest.iter()
            .all(|row| row.erp_side.get(*column) == Some(text))
    };
    first
        .erp_side
        .iter()
        .filter(is_shared)
        .map(|(column, text)| (column.clone(), text.clone()))
        .collect()
}

/// The account that most rows of the same cost type name.
fn neighbours(rows: &[Row], coding: &Coding, erp: &[Offer]) -> Option<Match> {
    let (rows, is_group) = like(rows, coding);
    let mut by_account: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        if let Some(account) = value(&row.erp_side, "ait1") {
            by_account.entry(account).or_default().push(row);
        }
    }
    let (account, of_it) = by_account
        .into_iter()
        .max_by_key(|(_, of_it)| of_it.len())?;
    let share = of_it.len().saturating_mul(100).checked_div(rows.len())?;
    if share < 50 {
        return None;
    }
    let most: usize = if is_group { 70 } else { 55 };
    let score = most.min(most.saturating_mul(share).checked_div(100)?);
    let kind = if coding.cost_type.is_empty() {
        "without a cost type".to_owned()
    } else {
        format!("of cost type {}", coding.cost_type)
    };
    let among = if is_group {
        format!(" in group {}", group(&coding.cost_code))
    } else {
        String::new()
    };
    let name = erp
        .iter()
        .find(|offer| cell(&offer.side, "ait1") == account);
    Some(Match {
        erp_side: unanimous(&of_it),
        erp_name: name.map(|offer| offer.name.clone()).unwrap_or_default(),
        score: u8::try_from(score).unwrap_or(0),
        reason: format!(
            "{} of {} rows {kind}{among} name account {account}",
            of_it.len(),
            rows.len()
        ),
    })
}

fn vendors(known: Known<'_>) -> Vec<Suggestion> {
    let rows = known.tables.rows(MappingKind::Vendors);
    let is_known = |key: &str| {
        let in_row = rows
            .iter()
            .any(|row| cell(&row.project_side, "vendor_id") == key);
        in_row || known.linked.iter().any(|(source, _)| source == key)
    };
    let is_taken = |supplier: &str| {
        let in_row = rows
            .iter()
            .any(|row| cell(&row.erp_side, "supplier") == supplier);
        in_row || known.linked.iter().any(|(_, target)| target == supplier)
    };
    let free: Vec<Offer> = known
        .erp
        .iter()
        .filter(|offer| !is_taken(cell(&offer.side, "supplier")))
        .cloned()
        .collect();
    let unmatched = known
        .project
        .iter()
        .filter(|offer| !is_known(cell(&offer.side, "vendor_id")));
    let found = unmatched.filter_map(|vendor| {
        let number = fact(vendor, "number");
        let has_number =
            |offer: &Offer| number.is_some_and(|number| number == cell(&offer.side, "supplier"));
        let tax_id = fact(vendor, "tax_id").map(bare);
        let has_tax_id = |offer: &Offer| {
            let other = fact(offer, "tax_id").map(bare);
            tax_id.is_some() && other == tax_id
        };
        let is_named = |offer: &Offer| is_same_name(&offer.name, &vendor.name);
        let found = best(
            [
                among(
                    &free,
                    has_number,
                    95,
                    "the supplier has the number that the vendor names",
                ),
                among(&free, has_tax_id, 92, "both have the same tax id"),
                among(&free, is_named, 80, "both have the same name"),
            ]
            .into_iter()
            .flatten(),
        )?;
        Some(found.proposed(vendor.side.clone(), &vendor.name))
    });
    found.collect()
}

fn projects(known: Known<'_>) -> Vec<Suggestion> {
    let tables = known.tables;
    let unmapped = known.project.iter().filter(|offer| {
        let key = cell(&offer.side, "project_id");
        tables
            .by_key(MappingKind::Projects, "project_id", key)
            .is_none()
    });
    let found = unmapped.filter_map(|project| {
        let town = fact(project, "town");
        let in_town = |offer: &Offer| town.is_some_and(|town| is_same_name(&offer.name, town));
        let is_only = known.erp.len() == 1;
        let found = best(
            [
                among(
                    known.erp,
                    in_town,
                    60,
                    "the facility has the name of the project's town",
                ),
                among(known.erp, |_| is_only, 50, "there is no other facility"),
            ]
            .into_iter()
            .flatten(),
        )?;
        Some(found.proposed(project.side.clone(), &project.name))
    });
    found.collect()
}

fn items(known: Known<'_>) -> Vec<Suggestion> {
    let rows = known.tables.rows(MappingKind::Items);
    let is_mapped = |cost_type: &str| {
        rows.iter().any(|row| {
            let own = cell(&row.project_side, "cost_type");
            own.is_empty() || own == cost_type
        })
    };
    let mut by_item: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        if let Some(item) = value(&row.erp_side, "item") {
            by_item.entry(item).or_default().push(row);
        }
    }
    let most = by_item.into_iter().max_by_key(|(_, of_it)| of_it.len());
    let Some((item, of_it)) = most else {
        return Vec::new();
    };
    let unmapped = known
        .project
        .iter()
        .filter(|offer| !is_mapped(cell(&offer.side, "cost_type")));
    let found = unmapped.map(|offer| {
        let found = Match {
            erp_side: unanimous(&of_it),
            erp_name: String::new(),
            score: 40,
            reason: format!("{} of {} rows name item {item}", of_it.len(), rows.len()),
        };
        found.proposed(offer.side.clone(), &offer.name)
    });
    found.collect()
}

/// Tables of one code against one code.
fn codes(kind: MappingKind, known: Known<'_>) -> Vec<Suggestion> {
    let unmapped = known.project.iter().filter(|offer| {
        let code = cell(&offer.side, "code");
        known.tables.by_key(kind, "code", code).is_none()
    });
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    let found = unmapped.filter_map(|offer| {
        let code = cell(&offer.side, "code");
        let same = |other: &Offer| bare(cell(&other.side, "code")) == bare(code);
        let named = |other: &Offer| is_same_name(&other.name, &offer.name);
        let is_terms = kind == MappingKind::PaymentTerms && !digits(code).is_empty();
        let days = |other: &Offer| is_terms && digits(&other.name) == digits(code);
        let found = best(
            [
                among(known.erp, same, 95, "both have the same code"),
                among(known.erp, named, 85, "both have the same name"),
                among(known.erp, days, 70, "both name the same number of days"),
            ]
            .into_iter()
            .flatten(),
        )?;
        Some(found.proposed(offer.side.clone(), &offer.name))
    });
    found.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn offer(cells: &[(&'static str, &str)], name: &str) -> Offer {
        let cells = cells
            .iter()
            .map(|(column, text)| (*column, (*text).to_owned()));
        Offer::new(cells, name)
    }

    fn row(project_side: &[(&str, &str)], erp_side: &[(&str, &str)]) -> Row {
        let side = |cells: &[(&str, &str)]| -> Side {
            cells
                .iter()
                .map(|(column, text)| ((*column).to_owned(), (*text).to_owned()))
                .collect()
        };
        Row {
            id: None,
            project_side: side(project_side),
            erp_side: side(erp_side),
            note: String::new(),
        }
    }

    fn told(kind: MappingKind, rows: Vec<Row>, project: &[Offer], erp: &[Offer]) -> Vec<String> {
        let tables = Tables(BTreeMap::from([(kind, rows)]));
        let known = Known {
            tables: &tables,
            project,
            erp,
            linked: &[("9".to_owned(), "S9".to_owned())],
        };
        let text = |side: &Side| side.values().cloned().collect::<Vec<_>>().join("+");
        suggestions(kind, known)
            .iter()
            .map(|found| {
                let row = &found.row;
                format!(
                    "{} = {} {}",
                    text(&row.project_side),
                    text(&row.erp_side),
                    found.score
                )
            })
            .collect()
    }

    #[test]
    fn codes_are_matched_by_code_by_name_and_by_what_others_do() {
        let code = |code: &str, kind: &str, project: &str, name: &str| {
            offer(
                &[
                    ("cost_code", code),
                    ("cost_type", kind),
                    ("project_id", project),
                ],
                name,
            )
        };
        let project = [
            code("51000", "M", "1", "Concrete"),
            code("51000", "M", "2", "Concrete"),
            code("52-000", "M", "1", "Steel"),
            code("x1", "S", "1", "Site operations.Commitment"),
            code("07-500", "L", "1", "Roofing"),
            code("99", "Q", "1", "Nobody knows"),
        ];
        let account = |code: &str, name: &str| offer(&[("ait1", code)], name);
        let erp = [
            account("51000", "Materials"),
            account("52000", "Steel bought"),
            account("53000", "Site Operations"),
        ];
        let labor = |code: &str, account: &str| {
            row(
                &[("cost_code", code), ("cost_type", "L")],
                &[("ait1", account), ("ait2", "4200"), ("element", code)],
            )
        };
        let rows = vec![
            labor("07-100", "54000"),
            labor("07-200", "54000"),
            labor("01-100", "54100"),
        ];
        assert_eq!(
            told(MappingKind::CostCodes, rows, &project, &erp),
            [
                "51000+M = 51000 95",
                "52-000+M = 52000 85",
                "x1+S = 53000 75",
                "07-500+L = 54000+4200 70",
            ]
        );
    }

    #[test]
    fn vendors_are_matched_by_number_tax_id_and_name() {
        let vendor = |key: &str, name: &str, number: &str, tax_id: &str| {
            offer(&[("vendor_id", key)], name)
                .with("number", Some(number))
                .with("tax_id", Some(tax_id))
        };
        let supplier = |key: &str, name: &str, tax_id: &str| {
            offer(&[("supplier", key)], name).with("tax_id", Some(tax_id))
        };
        let project = [
            vendor("1", "Stone", "S1", ""),
            vendor("2", "Other name", "", "84-102"),
            vendor("3", "ACME Steel, Limited", "", ""),
            vendor("4", "Twins", "", ""),
            vendor("9", "Linked", "S1", ""),
        ];
        let erp = [
            supplier("S1", "Whatever", ""),
            supplier("S2", "Whoever", "84102"),
            supplier("S3", "Acme Steel Ltd", ""),
            supplier("S4", "Twins", ""),
            supplier("S5", "TWINS", ""),
            supplier("S9", "Stone", ""),
        ];
        assert_eq!(
            told(MappingKind::Vendors, Vec::new(), &project, &erp),
            ["1 = S1 95", "2 = S2 92", "3 = S3 80", "4 = S4 50"]
        );
    }

    #[test]
    fn other_tables_are_matched_by_what_they_have() {
        let code = |code: &str, name: &str| offer(&[("code", code)], name);
        let units = [code("ea", "ea"), code("day", "day"), code("odd", "odd")];
        let known = [code("EA", "Each"), code("D", "Day")];
        assert_eq!(
            told(
                MappingKind::Units,
                vec![row(&[("code", "x")], &[])],
                &units,
                &known
            ),
            ["ea = EA 95", "day = D 85"]
        );
        let terms = [code("Net 30", "Net 30")];
        let known = [code("30", "30 days net"), code("45", "45 days net")];
        assert_eq!(
            told(MappingKind::PaymentTerms, Vec::new(), &terms, &known),
            ["Net 30 = 30 70"]
        );
        let sites = [
            offer(&[("project_id", "1")], "Tower").with("town", Some("Calgary")),
            offer(&[("project_id", "2")], "School").with("town", Some("Aurora")),
        ];
        let facilities = [
            offer(&[("facility", "A01")], "Denver"),
            offer(&[("facility", "C01"), ("warehouse", "200")], "Calgary"),
        ];
        assert_eq!(
            told(MappingKind::Projects, Vec::new(), &sites, &facilities),
            ["1 = C01+200 60"]
        );
        let types = [
            offer(&[("cost_type", "L")], "Labor"),
            offer(&[("cost_type", "M")], "Materials"),
        ];
        let rows = vec![row(
            &[("cost_type", "M")],
            &[("item", "PC"), ("unit", "EA")],
        )];
        assert_eq!(
            told(MappingKind::Items, rows, &types, &[]),
            ["L = PC+EA 40"]
        );
    }
}
