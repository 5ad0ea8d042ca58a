//! Tests a connection beyond the log-in: company, programs and transactions, defaults, one read.
//!
//! Only what M3 says is wrong is wrong: a check that could not be made is told and fails nothing.

mod defaults;
mod permission;

use std::time::Instant;

use super::client::{self, mi};
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
            steps.extend(permission::steps(session, probe.flows).await);
            steps.push(defaults::step(session, &divisions).await);
            steps.push(sample_read(session).await);
            Ok(steps)
        })
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
