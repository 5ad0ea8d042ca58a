//! An order as a batch entry: pure mapping, with every issue at once.

use std::collections::BTreeMap;
use std::time::Duration;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use time::Date;

use super::super::lookup::date;
use super::super::number::sent_amount;
use super::head::{Context, missing_setting};
use super::people;
use crate::contract::{Draft, Refs};
use crate::domain::connection::Settings;
use crate::domain::fault::{Fault, Issue, all_or_issues};
use crate::domain::name::shortened;
use crate::domain::plan::Change;
use crate::domain::records::{Order, OrderLine};

/// PNLI has three digits. Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (PPS370MI).
const LINES_MAX: usize = 999;
const LEAD_DAYS_DEFAULT: u32 = 14;
/// The window of a look-up begins a day before the contract does, because clocks and zones differ.
const LOOKED_BACK: Duration = Duration::from_secs(24 * 60 * 60);

/// MI field names and values.
pub(super) type Fields = BTreeMap<String, String>;

/// Everything that is sent to make an order, and what it is looked for by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OrderDraft {
    pub batch_origin: String,
    pub division: String,
    pub supplier: String,
    /// FACI, WHLO, SUNO, ORTY, CUCD, TEPY, BUYE, PURC, PROJ, ELNO.
    pub head: Fields,
    /// The wanted day, `YYYYMMDD`; none = `lead_days` after the day of entry. The day is settled when it is sent, so
    /// that a draft does not change by itself overnight.
    pub delivery: Option<String>,
    pub lead_days: u32,
    pub tag: String,
    pub number: String,
    pub title: String,
    /// Orders that changed earlier cannot be this one, milliseconds since 1970.
    pub since_ms: Option<i64>,
    pub lines: Vec<LineDraft>,
    pub total: Decimal,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LineDraft {
    /// The source's key of the line.
    pub key: String,
    /// The source's code of its cost; blank in drafts that were kept before it was.
    #[serde(default)]
    pub code: String,
    /// PNLI, from 1.
    pub line: u32,
    pub item: String,
    pub quantity: Decimal,
    pub price: Decimal,
    /// Exactly quantity × price.
    pub amount: Decimal,
    /// A unit of the source that has no M3 unit yet.
    pub unmapped_unit: Option<String>,
    /// PUUN, PPUN, PITD, PITT, PROJ, ELNO, COCE, ACRF, LREF.
    pub fields: Fields,
    /// AIT1 to AIT7.
    pub accounts: Fields,
}

impl LineDraft {
    /// The fields that a line takes outside of a batch.
    pub(super) fn fields_direct(&self) -> Fields {
        let fields = self.fields.iter().filter(|(name, _)| *name != "LREF");
        fields
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

impl OrderDraft {
    /// Reads a stored draft; of a change, what the order is then.
    pub(super) fn of(draft: &Draft) -> Result<Self, Fault> {
        let whole = draft.payload.get("whole").unwrap_or(&draft.payload);
        Self::deserialize(whole).map_err(|error| Fault::Broken {
            code: "draft_unreadable".to_owned(),
            message: format!("the stored write cannot be read: {error}"),
        })
    }

    /// The delivery date of an entry made today: never in the past.
    pub(super) fn delivery_on(&self, today: Date) -> String {
        let lead = time::Duration::days(i64::from(self.lead_days));
        match &self.delivery {
            Some(wanted) => wanted.clone().max(date(today)),
            None => date(today.checked_add(lead).unwrap_or(today)),
        }
    }
}

/// See [`Writes::draft`](crate::contract::Writes::draft).
pub(super) fn draft(
    order: &Order,
    settings: &Settings,
    refs: &Refs<'_>,
) -> Result<Draft, Vec<Issue>> {
    let mut issues = Vec::new();
    let context = Context {
        order,
        settings,
        refs,
    };
    let head = context.head(&mut issues);
    let batch_origin = settings.text("batch_origin").unwrap_or_default().to_owned();
    if batch_origin.is_empty() {
        issues.push(missing_setting(
            "batch_origin",
            "the batch origin (BAOR) under which orders are entered",
        ));
    }
    issues.extend(totals(order));
    // Lines of 0.00 move no money, and M3 refuses a quantity of nothing.
    let counted = order.lines.iter().filter(|line| !line.amount.is_zero());
    let lines: Vec<&OrderLine> = counted.collect();
    issues.extend(line_count(lines.len()));
    let lines = all_or_issues(
        (1..)
            .zip(&lines)
            .map(|(number, line)| context.line(number, line, &head)),
    );
    let lines = lines.unwrap_or_else(|found| {
        issues.extend(found);
        Vec::new()
    });
    if !issues.is_empty() {
        return Err(issues);
    }
    let (lines, people): (Vec<LineDraft>, Vec<Vec<Change>>) = lines.into_iter().unzip();
    let draft = OrderDraft {
        batch_origin,
        division: context.division(),
        supplier: head.get("SUNO").cloned().unwrap_or_default(),
        delivery: order.delivery_date.or(order.completion_date).map(date),
        lead_days: settings.number("lead_days").unwrap_or(LEAD_DAYS_DEFAULT),
        head,
        tag: refs.tag.as_str().to_owned(),
        number: order.number.trim().to_owned(),
        title: order.title.trim().to_owned(),
        since_ms: order
            .created_at
            .map(|at| at.minus(LOOKED_BACK).0.div_euclid(1000)),
        total: order.lines_total(),
        lines,
    };
    let mut changes = people::head(&draft);
    changes.extend(people.into_iter().flatten());
    let payload = serde_json::to_value(&draft)
        .map_err(|error| vec![Issue::new("", "draft_unwritable", error.to_string())])?;
    Ok(Draft::new(payload, changes, draft.tag, order.money()))
}

fn line_count(count: usize) -> Option<Issue> {
    match count {
        0 => Some(Issue::new(
            "lines",
            "no_lines",
            "there is no line with an amount to order",
        )),
        1..=LINES_MAX => None,
        _ => Some(Issue::new(
            "lines",
            "too_many_lines",
            format!(
                "{count} lines: an M3 order holds at most {LINES_MAX}; split the contract or key it in M3 and link it"
            ),
        )),
    }
}

/// The source's own total is the proof that all its lines were read.
fn totals(order: &Order) -> Option<Issue> {
    let (lines, stated) = (order.lines_total(), order.total);
    (lines != stated).then(|| {
        Issue::new(
            "total",
            "totals_disagree",
            format!(
                "the lines add up to {}, the contract says {}",
                sent_amount(lines),
                sent_amount(stated)
            ),
        )
    })
}

/// The text beside the order: the source's number and title.
pub(super) fn text(draft: &OrderDraft) -> String {
    let whole = format!("{} {}", draft.number, draft.title);
    fitted(whole.trim(), 60)
}

pub(super) fn fitted(text: &str, characters_max: usize) -> String {
    shortened(text, characters_max).unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use time::macros::date as day;

    use super::*;

    #[test]
    fn a_delivery_is_wanted_as_said_and_never_in_the_past() {
        let draft = |delivery: Option<&str>| OrderDraft {
            batch_origin: String::new(),
            division: String::new(),
            supplier: String::new(),
            head: Fields::new(),
            delivery: delivery.map(str::to_owned),
            lead_days: 14,
            tag: String::new(),
            number: String::new(),
            title: String::new(),
            since_ms: None,
            lines: Vec::new(),
            total: Decimal::ZERO,
        };
        let today = day!(2026 - 12 - 24);
        for (wanted, sent) in [
            (Some("20270115"), "20270115"),
            (Some("20261224"), "20261224"),
            (Some("20261101"), "20261224"),
            (None, "20270107"),
        ] {
            assert_eq!(draft(wanted).delivery_on(today), sent, "{wanted:?}");
        }
    }
}
