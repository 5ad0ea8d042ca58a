//! The exact write for people: every field with where it comes from, in reading order.

use super::super::number::{sent, sent_amount};
use super::draft::{LineDraft, OrderDraft, text};
use crate::domain::connection::Settings;
use crate::domain::plan::Change;

pub(super) fn head(draft: &OrderDraft) -> Vec<Change> {
    const LABELS: &[(&str, &str, &str)] = &[
        ("SUNO", "Supplier", "link of the vendor"),
        ("ORTY", "Order type", "setting or projects mapping"),
        ("CUCD", "Currency", "source"),
        ("FACI", "Facility", "projects mapping or setting"),
        ("WHLO", "Warehouse", "projects mapping or setting"),
        ("PROJ", "Project", "mapping projects"),
        ("ELNO", "Project element", "mapping projects"),
        ("BUYE", "Buyer", "projects mapping or setting"),
        ("PURC", "Requisition by", "setting purchaser"),
        ("TEPY", "Payment terms", "mapping payment_terms"),
    ];
    let mut people: Vec<Change> = LABELS
        .iter()
        .filter_map(|(name, label, why)| Some(change(label, draft.head.get(*name)?, why)))
        .collect();
    let delivery = match &draft.delivery {
        Some(day) => change(
            "Delivery",
            &format!("{day}, or the day of entry if later"),
            "source",
        ),
        None => change(
            "Delivery",
            &format!("{} days after entry", draft.lead_days),
            "setting lead_days, because the source names no date",
        ),
    };
    people.push(delivery);
    people.push(change("Reference", &draft.tag, "our tag"));
    people.push(change(
        "Batch origin",
        &draft.batch_origin,
        "setting batch_origin",
    ));
    people.push(change("Text", &text(draft), "source"));
    people.push(change(
        "Total",
        &sent_amount(draft.total),
        "sum of the lines",
    ));
    people
}

pub(super) fn line(line: &LineDraft, why_quantity: &str, settings: &Settings) -> Vec<Change> {
    let number = line.line;
    let of =
        |label: &str, to: &str, why: &str| change(&format!("Line {number} · {label}"), to, why);
    let unit = line.fields.get("PUUN").or(line.unmapped_unit.as_ref());
    let quantity = [Some(sent(line.quantity)), unit.cloned()];
    let quantity: Vec<String> = quantity.into_iter().flatten().collect();
    let mut people = vec![
        of("Item", &line.item, "mapping items"),
        of("Quantity", &quantity.join(" "), why_quantity),
        of("Price", &sent_amount(line.price), why_quantity),
        of("Amount", &sent_amount(line.amount), "source"),
    ];
    let labels = [
        ("PITD", "Name", "source"),
        ("PITT", "Description", "source"),
        ("ELNO", "Project element", "mapping cost_codes or projects"),
        ("COCE", "Cost centre", "mapping cost_codes"),
        ("ACRF", "Account control object", "mapping cost_codes"),
    ];
    people.extend(line.accounts.iter().map(|(name, account)| {
        let column = name.to_lowercase();
        let label = match settings.entry("dimension_names", &column) {
            Some(own) => own.to_owned(),
            None if name == "AIT1" => "Account".to_owned(),
            None => format!("Dimension {}", name.trim_start_matches("AIT")),
        };
        of(&label, account, "mapping cost_codes")
    }));
    people.extend(
        labels
            .iter()
            .filter_map(|(name, label, why)| Some(of(label, line.fields.get(*name)?, why))),
    );
    people
}

fn change(field: &str, to: &str, why: &str) -> Change {
    Change {
        field: field.to_owned(),
        from: None,
        to: Some(to.to_owned()),
        why: why.to_owned(),
    }
}
