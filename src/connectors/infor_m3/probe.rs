//! Tests a connection beyond the log-in: company, programs and transactions, defaults, one read.
//!
//! Only what M3 says is wrong is wrong: a check that could not be made is told and fails nothing.

use std::time::Instant;

use super::client::{self, mi, program};
use super::lookup;
use super::reply::Row;
use crate::contract::{Answer, Probe, Probes, Session};
use crate::domain::connection::PingStep;
use crate::domain::fault::Fault;

pub(super) struct Connection;

impl Probes for Connection {
    fn probe<'a>(&'a self, session: &'a Session, probe: Probe<'a>) -> Answer<'a, Vec<PingStep>> {
        Box::pin(async move {
            let (company, divisions) = company(session).await;
            let mut steps = vec![company];
            for needed in NEEDS.iter().filter(|needed| needed.is_for(probe.flows)) {
                steps.push(permission(session, needed).await);
            }
            steps.push(defaults(session, &divisions).await);
            steps.push(sample_read(session).await);
            Ok(steps)
        })
    }
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
        flows: &[ORDERS],
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

impl Needed {
    /// A connection that no pair uses yet is tested for all flows.
    fn is_for(&self, flows: &[&str]) -> bool {
        flows.is_empty() || self.flows.iter().any(|flow| flows.contains(flow))
    }
}

fn ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The company exists for this user, and the division in it.
async fn company(session: &Session) -> (PingStep, Vec<Row>) {
    const STEP: &str = "company";
    let started = Instant::now();
    let company = session.settings.text("cono").unwrap_or_default();
    let division = session.settings.text("divi").unwrap_or_default();
    let call = mi("MNS100MI", "LstDivisions", [("CONO", company.to_owned())]).list(
        1000,
        &["CONO", "DIVI", "TX15", "FACI", "FACN", "WHLO", "WHNM"],
    );
    let listed = match client::list(session, &call).await {
        // A division that does not exist is refused itself; the company's own level knows which do.
        Err(Fault::Rejected { .. }) if !division.is_empty() => {
            client::list(session, &call.in_division("")).await
        }
        listed => listed,
    };
    let rows = match listed {
        Ok(rows) => rows,
        Err(fault) => {
            let hint =
                "check the company number, and that the service account's user may use it (MNS150)";
            return (
                PingStep::badly(STEP, ms(started), fault.to_string(), hint),
                Vec::new(),
            );
        }
    };
    let is_own = |row: &&Row| {
        row.number("CONO")
            .is_none_or(|found| found.to_string() == company.trim_start_matches('0'))
    };
    let rows: Vec<Row> = rows.iter().filter(is_own).cloned().collect();
    let named = rows
        .iter()
        .find(|row| row.text_or_blank("DIVI") == division);
    let step = if rows.is_empty() {
        let hint = "check the company number on the connection (MNS095 lists the companies)";
        PingStep::badly(
            STEP,
            ms(started),
            format!("M3 shows no company {company}"),
            hint,
        )
    } else if let Some(row) = named {
        let name = row.text_or_blank("TX15");
        PingStep::well(
            STEP,
            ms(started),
            format!("company {company}, division `{division}` {name}").trim_end(),
        )
    } else if division.is_empty() {
        PingStep::well(STEP, ms(started), format!("company {company}"))
    } else {
        let known: Vec<&str> = rows.iter().filter_map(|row| row.text("DIVI")).collect();
        let hint = format!("choose one of its divisions: {}", known.join(", "));
        PingStep::badly(
            STEP,
            ms(started),
            format!("company {company} has no division {division}"),
            hint,
        )
    };
    (step, rows)
}

/// Every transaction that we call is in the program that this connection uses.
async fn permission(session: &Session, needed: &Needed) -> PingStep {
    let started = Instant::now();
    let own = program(&session.settings, needed.program);
    let name = format!("permission:{own}");
    let is_off = needed.program == "EXPORTMI" && session.settings.text("exportmi") == Some("off");
    if is_off {
        return PingStep::well(
            name,
            ms(started),
            "switched off on the connection: standard lists are used",
        );
    }
    let call = mi("MRS001MI", "LstTransactions", [("MINM", own.to_owned())])
        .list(0, &["MINM", "TRNM", "STAT"]);
    let rows = match client::list(session, &call).await {
        Ok(rows) => rows,
        Err(fault) => return unasked(name, ms(started), needed, &fault),
    };
    let is_there = |wanted: &&&str| rows.iter().any(|row| row.text("TRNM") == Some(**wanted));
    let missing: Vec<&str> = needed
        .transactions
        .iter()
        .filter(|wanted| !is_there(wanted))
        .copied()
        .collect();
    if missing.is_empty() {
        return PingStep::well(
            name,
            ms(started),
            format!("has {}", needed.transactions.join(", ")),
        );
    }
    let detail = if rows.is_empty() {
        format!("M3 shows no program {own}")
    } else {
        format!("{own} has no {}", missing.join(", "))
    };
    match needed.instead {
        Some(instead) => PingStep::well(name, ms(started), format!("{detail}; {instead}")),
        None => PingStep::badly(
            name,
            ms(started),
            detail,
            format!(
                "ask the M3 administrator to make {own} available to the service account's user, or name the program \
                 in use for {} in mi_programs",
                needed.program
            ),
        ),
    }
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

/// What one default turned out to be.
enum Finding {
    Fine(String),
    Unasked(String),
    Wrong { what: String, hint: String },
}

async fn defaults(session: &Session, divisions: &[Row]) -> PingStep {
    const STEP: &str = "defaults";
    let started = Instant::now();
    let findings = [
        facility(session, divisions).await,
        warehouse(session, divisions).await,
        order_types(session).await,
        template(session).await,
        batch_origin(session),
    ];
    let (mut details, mut hints) = (Vec::new(), Vec::new());
    for finding in findings.into_iter().flatten() {
        match finding {
            Finding::Fine(says) => details.push(says),
            Finding::Unasked(says) => details.push(format!("{says} (could not be checked)")),
            Finding::Wrong { what, hint } => {
                details.push(what);
                hints.push(hint);
            }
        }
    }
    let detail = if details.is_empty() {
        "none is set".to_owned()
    } else {
        details.join("; ")
    };
    if hints.is_empty() {
        PingStep::well(STEP, ms(started), detail)
    } else {
        PingStep::badly(STEP, ms(started), detail, hints.join("; "))
    }
}

/// The division's own facility is known already; another one is asked for.
async fn facility(session: &Session, divisions: &[Row]) -> Option<Finding> {
    let facility = session.settings.text("facility")?;
    let says = format!("facility {facility}");
    let division = session.settings.text("divi").unwrap_or_default();
    let own = divisions
        .iter()
        .find(|row| row.text_or_blank("DIVI") == division);
    if own.is_some_and(|row| row.text("FACI") == Some(facility)) {
        return Some(Finding::Fine(says));
    }
    let call = mi("CRS008MI", "ListFacility", [("FACI", facility.to_owned())])
        .list(1000, &["FACI", "FACN", "DIVI"]);
    Some(match client::list(session, &call).await {
        Err(_) => Finding::Unasked(says),
        Ok(rows) => match rows.iter().find(|row| row.text("FACI") == Some(facility)) {
            None => Finding::Wrong {
                what: format!("M3 has no facility {facility}"),
                hint: "choose a facility of CRS008".to_owned(),
            },
            Some(row)
                if !division.is_empty()
                    && row.text("DIVI").is_some_and(|found| found != division) =>
            {
                Finding::Wrong {
                    what: format!(
                        "facility {facility} belongs to division {}",
                        row.text_or_blank("DIVI")
                    ),
                    hint: format!("choose a facility of division {division}"),
                }
            }
            Some(row) => Finding::Fine(
                format!("{says} {}", row.text_or_blank("FACN"))
                    .trim_end()
                    .to_owned(),
            ),
        },
    })
}

async fn warehouse(session: &Session, divisions: &[Row]) -> Option<Finding> {
    let warehouse = session.settings.text("warehouse")?;
    let says = format!("warehouse {warehouse}");
    if divisions
        .iter()
        .any(|row| row.text("WHLO") == Some(warehouse))
    {
        return Some(Finding::Fine(says));
    }
    let fields = [
        ("FWHL", warehouse.to_owned()),
        ("TWHL", warehouse.to_owned()),
    ];
    let call = mi("MMS005MI", "LstWarehouses", fields).list(1000, &["WHLO", "WHNM", "FACI"]);
    Some(match client::list(session, &call).await {
        Err(_) => Finding::Unasked(says),
        Ok(rows) => match rows.iter().find(|row| row.text("WHLO") == Some(warehouse)) {
            None => Finding::Wrong {
                what: format!("M3 has no warehouse {warehouse}"),
                hint: "choose a warehouse of MMS005".to_owned(),
            },
            Some(row) => Finding::Fine(
                format!("{says} {}", row.text_or_blank("WHNM"))
                    .trim_end()
                    .to_owned(),
            ),
        },
    })
}

async fn order_types(session: &Session) -> Option<Finding> {
    let wanted: Vec<&str> = ["order_type", "subcontract_order_type"]
        .iter()
        .filter_map(|name| session.settings.text(name))
        .collect();
    if wanted.is_empty() {
        return None;
    }
    let says = format!("order types {}", wanted.join(", "));
    let call = mi("PPS095MI", "LstOrderType", []).list(1000, &["ORTY", "TX40"]);
    Some(match client::list(session, &call).await {
        Err(_) => Finding::Unasked(says),
        Ok(rows) => {
            let is_unknown =
                |wanted: &&&str| !rows.iter().any(|row| row.text("ORTY") == Some(**wanted));
            match wanted.iter().find(is_unknown) {
                Some(unknown) => Finding::Wrong {
                    what: format!("M3 has no order type {unknown}"),
                    hint: "choose an order type of PPS095".to_owned(),
                },
                None => Finding::Fine(says),
            }
        }
    })
}

async fn template(session: &Session) -> Option<Finding> {
    let template = session.settings.text("supplier_template")?;
    let says = format!("supplier template {template}");
    Some(match lookup::supplier(session, template).await {
        Err(_) => Finding::Unasked(says),
        Ok(Some(_)) => Finding::Fine(says),
        Ok(None) => Finding::Wrong {
            what: format!("M3 has no supplier {template} to copy from"),
            hint: "choose a template supplier of CRS620".to_owned(),
        },
    })
}

/// No program lists batch origins, and entering one to see would be a write.
fn batch_origin(session: &Session) -> Option<Finding> {
    let origin = session.settings.text("batch_origin")?;
    Some(Finding::Fine(format!(
        "batch origin {origin} (M3 checks it when the first order is entered)"
    )))
}

/// One row of real data.
async fn sample_read(session: &Session) -> PingStep {
    const STEP: &str = "sample_read";
    let started = Instant::now();
    let call = mi("CRS620MI", "LstByName", [("SUNM", "A".to_owned())]).list(1, &["SUNO", "SUNM"]);
    match client::list(session, &call).await {
        Ok(rows) => {
            let first = rows.first().map(|row| row.text_or_blank("SUNO").to_owned());
            let detail = first.map_or("no supplier yet".to_owned(), |number| {
                format!("read supplier {number}")
            });
            PingStep::well(STEP, ms(started), detail)
        }
        Err(fault) => PingStep::badly(
            STEP,
            ms(started),
            fault.to_string(),
            "the service account's user must be allowed to read suppliers (CRS620MI)",
        ),
    }
}
