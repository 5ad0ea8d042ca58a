//! Orders: they need their vendor linked and their project, codes and items mapped; frozen once written.

use std::collections::BTreeSet;

use super::flow::{Afterwards, Facts, Flow, Linked};
use super::gate::{Gate, Rules};
use crate::contract::Need;
use crate::domain::mapping::{CodedLine, MappingKind, Tables};
use crate::domain::pair::plain_status;
use crate::domain::records::Order;
use crate::domain::system::Entity;

/// How orders travel.
pub static ORDER: Flow<Order> = Flow {
    rank: 2,
    afterwards: Afterwards::Frozen,
    waited_for_as: "order",
    has_ended: |order| ["complete", "closed"].contains(&plain_status(&order.status).as_str()),
    facts,
    gate,
    needs,
    refers_to,
};

const VENDOR: Entity = Entity::new("vendor");

fn facts(order: &Order) -> Facts {
    Facts {
        number: Some(order.number.clone()),
        counterparty: order.vendor_name.clone(),
        money: order.money(),
        twin_key: None,
    }
}

fn gate(order: &Order, rules: &Rules<'_>) -> Gate {
    let made = order
        .order_date
        .or_else(|| order.created_at.map(|at| at.to_utc().date()));
    rules.status(&order.status).and(|| rules.dated(made))
}

/// Everything that is missing, all at once, each thing once.
fn needs(order: &Order, tables: &Tables, linked: &dyn Linked) -> Vec<Need> {
    let mut missing = BTreeSet::new();
    if tables
        .by_key(MappingKind::Projects, "project_id", &order.project_key)
        .is_none()
    {
        missing.insert(Need {
            kind: "project",
            key: order.project_key.clone(),
            label: format!(
                "a row for project {} in the projects mapping",
                order.project_key
            ),
        });
    }
    if let Some(vendor) = &order.vendor_key
        && !linked.is_linked(&VENDOR, vendor)
    {
        let name = order.vendor_name.as_deref().unwrap_or(vendor);
        missing.insert(Need {
            kind: "vendor",
            key: vendor.clone(),
            label: format!("vendor {name} to be linked"),
        });
    }
    for line in &order.lines {
        let coded = CodedLine {
            project_key: &order.project_key,
            coding: &line.coding,
        };
        if tables.cost_code(coded).is_none() {
            missing.insert(Need {
                kind: "cost_codes",
                key: line.coding.cost_code.clone(),
                label: format!("cost code {} to be mapped", line.coding),
            });
        }
        if tables.item(coded, order.kind).is_none() {
            missing.insert(Need {
                kind: "items",
                key: line.coding.cost_type.clone(),
                label: format!(
                    "an item for cost type {} on a {}",
                    if line.coding.cost_type.is_empty() {
                        "(none)"
                    } else {
                        &line.coding.cost_type
                    },
                    order.kind.title()
                ),
            });
        }
    }
    missing.into_iter().collect()
}

fn refers_to(order: &Order) -> Vec<(Entity, String)> {
    order
        .vendor_key
        .iter()
        .map(|key| (VENDOR, key.clone()))
        .collect()
}
