//! Does this M3 have the programs and transactions that flows call?

use std::time::Instant;

use super::super::client::{self, mi, program};
use super::ms;
use crate::contract::Session;
use crate::domain::connection::PingStep;
use crate::domain::fault::Fault;

/// One step a program, of those that the flows need.
pub(super) async fn steps(session: &Session, flows: &[&str]) -> Vec<PingStep> {
    let mut steps = Vec::new();
    let mut can_find = session.settings.text("purchaser").is_some();
    for needed in NEEDS.iter().filter(|needed| needed.is_for(flows)) {
        let (step, has_all) = permission(session, needed).await;
        can_find |= has_all && FINDERS.contains(&needed.program);
        steps.push(step);
    }
    if flows.contains(&ORDERS) && !can_find {
        steps.push(no_way_to_find());
    }
    steps
}

/// A program and the transactions of it that flows call.
struct Needed {
    program: &'static str,
    transactions: &'static [&'static str],
    /// Empty = every flow.
    flows: &'static [&'static str],
    /// What is done without it; none when nothing can be.
    instead: Option<&'static str>,
}

const VENDORS: &str = "vendors";
const CODES: &str = "cost_codes";
const ORDERS: &str = "commitments";

static NEEDS: &[Needed] = &[
    Needed {
        program: "CRS620MI",
        transactions: &[
            "GetBasicData",
            "CopyTemplate",
            "UpdSupplier",
            "AddAddress",
            "LstAddresses",
        ],
        flows: &[VENDORS],
        instead: None,
    },
    Needed {
        program: "CRS111MI",
        transactions: &["Add"],
        flows: &[VENDORS],
        instead: Some("new suppliers are made without an e-mail address"),
    },
    Needed {
        program: "PPS370MI",
        transactions: &[
            "StartEntry",
            "AddHead",
            "AddLine",
            "AddAccString",
            "AddText",
            "FinishEntry",
            "DeleteEntry",
        ],
        flows: &[ORDERS],
        instead: None,
    },
    Needed {
        program: "PPS200MI",
        transactions: &["GetHead", "LstLine"],
        flows: &[ORDERS],
        instead: None,
    },
    Needed {
        program: "PPSSPPMI",
        transactions: &["LstSupHead"],
        flows: &[ORDERS],
        instead: Some("orders are looked up by EXPORTMI, or by their requester"),
    },
    Needed {
        program: "CRS630MI",
        transactions: &["GetAccountID"],
        flows: &[CODES, ORDERS],
        instead: None,
    },
    Needed {
        program: "MMS200MI",
        transactions: &["GetItmBasic"],
        flows: &[ORDERS],
        instead: None,
    },
    Needed {
        program: "EXPORTMI",
        transactions: &["Select"],
        flows: &[ORDERS],
        instead: Some("standard lists are used"),
    },
];

/// Programs that orders are looked up by; one of them is enough, or a purchaser to list by.
const FINDERS: [&str; 2] = ["PPSSPPMI", "EXPORTMI"];

/// Each look-up has another in its place, but not all of them may be missing.
fn no_way_to_find() -> PingStep {
    PingStep::badly(
        "permission:PPSSPPMI",
        0,
        "orders cannot be looked up, so none would be written",
        "grant PPSSPPMI or EXPORTMI to the service account's user, or set a purchaser on the connection",
    )
}

impl Needed {
    /// A connection that no pair uses yet is tested for all flows.
    fn is_for(&self, flows: &[&str]) -> bool {
        flows.is_empty() || self.flows.iter().any(|flow| flows.contains(flow))
    }
}

/// Every transaction that we call is in the program that this connection uses.
async fn permission(session: &Session, needed: &Needed) -> (PingStep, bool) {
    let started = Instant::now();
    let own = program(&session.settings, needed.program);
    let name = format!("permission:{own}");
    let is_off = needed.program == "EXPORTMI" && session.settings.text("exportmi") == Some("off");
    if is_off {
        let detail = "switched off on the connection: standard lists are used";
        return (PingStep::well(name, ms(started), detail), false);
    }
    let call = mi("MRS001MI", "LstTransactions", [("MINM", own.to_owned())])
        .list(0, &["MINM", "TRNM", "STAT"]);
    let rows = match client::list(session, &call).await {
        Ok(rows) => rows,
        Err(fault) => return (unasked(name, ms(started), needed, &fault), false),
    };
    let is_there = |wanted: &&&str| rows.iter().any(|row| row.text("TRNM") == Some(**wanted));
    let missing: Vec<&str> = needed
        .transactions
        .iter()
        .filter(|wanted| !is_there(wanted))
        .copied()
        .collect();
    if missing.is_empty() {
        let detail = format!("has {}", needed.transactions.join(", "));
        return (PingStep::well(name, ms(started), detail), true);
    }
    let detail = if rows.is_empty() {
        format!("M3 shows no program {own}")
    } else {
        format!("{own} has no {}", missing.join(", "))
    };
    let step = match needed.instead {
        Some(instead) => PingStep::well(name, ms(started), format!("{detail}; {instead}")),
        None => PingStep::badly(name, ms(started), detail, grant(own, needed)),
    };
    (step, false)
}

fn grant(own: &str, needed: &Needed) -> String {
    format!(
        "ask the M3 administrator to make {own} available to the service account's user, or name the program in use \
         for {} in mi_programs",
        needed.program
    )
}

fn unasked(name: String, ms: u64, needed: &Needed, fault: &Fault) -> PingStep {
    let is_refused = matches!(
        fault,
        Fault::Rejected { .. } | Fault::Missing { .. } | Fault::Auth { .. }
    );
    match (needed.instead, is_refused) {
        (Some(instead), true) => PingStep::well(
            name,
            ms,
            format!("could not be asked for ({fault}); {instead}"),
        ),
        (_, true) => PingStep::badly(
            name,
            ms,
            fault.to_string(),
            "grant the service account's user MRS001MI/LstTransactions, so that its programs can be checked",
        ),
        (_, false) => PingStep::badly(name, ms, fault.to_string(), "try again in a minute"),
    }
}
