//! Calls of MI programs: the only file with URLs.
//!
//! Reads are GETs of the second generation, writes are its POSTs with exactly one transaction; where only the
//! first generation exists (404), both are its GETs. Nothing here sends anything twice.
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (REST endpoints).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::answer;
use super::fault::refused;
use super::reply::{Nok, Row};
use crate::contract::{Body, Call, Method, Request, Response, Session};
use crate::domain::connection::Settings;
use crate::domain::fault::Fault;

/// The gateway itself gives up after a minute; a little longer hears its answer.
/// Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (gateway limits).
const TIMEOUT_SECONDS: u32 = 65;
/// Queries over whole tables take longer.
const EXPORT_TIMEOUT_SECONDS: u32 = 120;
/// How long it is remembered that only the first generation answers.
const GENERATION_REMEMBERED: Duration = Duration::from_secs(3600);
/// Record does not exist; many lists say it instead of being empty.
const NO_RECORD: &str = "XRE0103";
const FIRST_GENERATION_ONLY: &str = "gateway/first_generation_only";

/// One transaction of one program.
#[derive(Debug, Clone)]
pub(super) struct Mi<'a> {
    /// The program's standard name; the connection may use another in its place.
    pub program: &'static str,
    pub transaction: &'static str,
    /// Blank fields are left out, so that M3 applies its defaults.
    pub fields: Vec<(Cow<'static, str>, String)>,
    /// The division beside the record; none leaves it to the connection's.
    pub division: Option<&'a str>,
    /// At most so many rows; 0 = all.
    pub rows_max: u32,
    /// Only these columns; empty = all.
    pub columns: &'static [&'static str],
}

/// A transaction with its input fields.
pub(super) fn mi<'a>(
    program: &'static str,
    transaction: &'static str,
    fields: impl IntoIterator<Item = (&'static str, String)>,
) -> Mi<'a> {
    Mi {
        program,
        transaction,
        fields: fields
            .into_iter()
            .map(|(name, value)| (Cow::Borrowed(name), value))
            .collect(),
        division: None,
        rows_max: 1,
        columns: &[],
    }
}

impl<'a> Mi<'a> {
    /// A list of at most `rows_max` rows with these columns.
    pub(super) fn list(mut self, rows_max: u32, columns: &'static [&'static str]) -> Self {
        self.rows_max = rows_max;
        self.columns = columns;
        self
    }

    /// With fields whose names come from a stored draft.
    pub(super) fn with(mut self, fields: &BTreeMap<String, String>) -> Self {
        let more = fields
            .iter()
            .map(|(name, value)| (Cow::Owned(name.clone()), value.clone()));
        self.fields.extend(more);
        self
    }

    /// In another division than the connection's; blank is the company's own level.
    pub(super) fn in_division(mut self, division: &'a str) -> Self {
        self.division = Some(division);
        self
    }

    fn filled(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_str()))
            .filter(|(_, value)| !value.is_empty())
    }
}

/// The program that this connection uses under a standard name.
pub(super) fn program<'a>(settings: &'a Settings, standard: &'a str) -> &'a str {
    match settings.entry("mi_programs", standard).map(str::trim) {
        Some(own) if !own.is_empty() => own,
        _ => standard,
    }
}

/// One record by its key; nothing when it does not exist.
pub(super) async fn get(session: &Session, mi: &Mi<'_>) -> Result<Option<Row>, Fault> {
    match call(session, mi, Call::Read).await? {
        Ok(rows) => Ok(rows.into_iter().next().filter(|row| *row != Row::default())),
        Err(nok) if nok.is_absent() && is_about_key(mi, &nok) => Ok(None),
        Err(nok) => Err(refused(&operation(session, mi), &nok)),
    }
}

/// Rows of a list. Many programs answer an empty one with "record does not exist".
pub(super) async fn list(session: &Session, mi: &Mi<'_>) -> Result<Vec<Row>, Fault> {
    match call(session, mi, Call::Read).await? {
        Ok(rows) => Ok(rows
            .into_iter()
            .filter(|row| *row != Row::default())
            .collect()),
        Err(nok) if nok.code == NO_RECORD && is_about_key(mi, &nok) => Ok(Vec::new()),
        Err(nok) => Err(refused(&operation(session, mi), &nok)),
    }
}

/// A write: its output, or its refusal as M3 words it.
pub(super) async fn try_write(session: &Session, mi: &Mi<'_>) -> Result<Result<Row, Nok>, Fault> {
    let answer = call(session, mi, Call::Write).await?;
    Ok(answer.map(|rows| rows.into_iter().next().unwrap_or_default()))
}

/// A write whose every refusal is a fault.
pub(super) async fn write(session: &Session, mi: &Mi<'_>) -> Result<Row, Fault> {
    try_write(session, mi)
        .await?
        .map_err(|nok| refused(&operation(session, mi), &nok))
}

/// `PROGRAM/Transaction`, with the program that this connection uses.
pub(super) fn operation(session: &Session, mi: &Mi<'_>) -> String {
    format!(
        "{}/{}",
        program(&session.settings, mi.program),
        mi.transaction
    )
}

/// "Does not exist" may be said of the division or of a default instead of what was asked for. The general
/// code names any field, the particular ones name theirs.
fn is_about_key(mi: &Mi<'_>, nok: &Nok) -> bool {
    let is_context = ["CONO", "DIVI"].contains(&nok.field.as_str());
    let is_asked = mi.filled().any(|(name, _)| name == nok.field);
    nok.field.is_empty() || is_asked || (nok.code == NO_RECORD && !is_context)
}

async fn call(session: &Session, mi: &Mi<'_>, call: Call) -> Result<Result<Vec<Row>, Nok>, Fault> {
    let now = session.clock.now();
    let first_only = session
        .facts
        .recall(FIRST_GENERATION_ONLY, now, GENERATION_REMEMBERED)
        .is_some();
    if !first_only {
        let answer = send(session, mi, call, Generation::Second).await?;
        // Without an envelope nothing ran: the gateway does not know the path.
        if answer.status != 404 || answer::envelope(call, &answer).is_ok() {
            return answer::read(&operation(session, mi), now, call, &answer);
        }
    }
    let answer = send(session, mi, call, Generation::First).await?;
    if answer.is_success() && !first_only {
        session
            .facts
            .remember(FIRST_GENERATION_ONLY, now, Value::from(true));
    }
    answer::read(&operation(session, mi), now, call, &answer)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Generation {
    First,
    Second,
}

async fn send(
    session: &Session,
    mi: &Mi<'_>,
    call: Call,
    generation: Generation,
) -> Result<Response, Fault> {
    let settings = &session.settings;
    let url = match (generation, call) {
        (Generation::Second, Call::Write) => post_url(settings, mi),
        (generation, _) => get_url(settings, mi, generation),
    };
    let url = url.ok_or_else(|| {
        Fault::rejected(
            "settings/iu",
            "address_invalid",
            "the connection has no gateway address: upload its .ionapi file again",
        )
    })?;
    let (method, body) = match (generation, call) {
        (Generation::Second, Call::Write) => (Method::Post, Some(post_body(settings, mi))),
        _ => (Method::Get, None),
    };
    let seconds = if mi.program == "EXPORTMI" {
        EXPORT_TIMEOUT_SECONDS
    } else {
        TIMEOUT_SECONDS
    };
    let build = || Request {
        method,
        url: url.clone(),
        headers: Vec::new(),
        bearer: None,
        body: body.clone().map_or(Body::None, Body::Json),
        call,
        timeout: session.timeout(seconds),
        operation: operation(session, mi),
        private: false,
    };
    session.send_authorized(build).await
}

/// `{iu}/{ti}/M3/m3api-rest`, to which parts are added.
fn base(settings: &Settings) -> Option<Url> {
    let mut url: Url = settings.text("iu")?.parse().ok()?;
    let tenant = settings.text("ti")?;
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend([tenant, "M3", "m3api-rest"]);
    Some(url)
}

fn get_url(settings: &Settings, mi: &Mi<'_>, generation: Generation) -> Option<Url> {
    let mut url = base(settings)?;
    let rows_max = mi.rows_max.to_string();
    let company = settings.text("cono").unwrap_or_default();
    let division = mi.division.or_else(|| settings.text("divi"));
    let columns = mi.columns.join(",");
    // Some grids read the matrix form only, others the query only, so both are sent.
    let mut context = vec![("maxrecs", rows_max.as_str()), ("excludempty", "false")];
    if !columns.is_empty() {
        context.push(("returncols", &columns));
    }
    context.push(("cono", company));
    context.extend(division.map(|division| ("divi", division)));
    let matrix: Vec<String> = context
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut path = url.path_segments_mut().ok()?;
    if generation == Generation::Second {
        path.push("v2");
    }
    path.push("execute").push(program(settings, mi.program));
    path.push(&format!("{};{}", mi.transaction, matrix.join(";")));
    drop(path);
    let in_query = ["maxrecs", "cono", "divi"];
    let context = context
        .into_iter()
        .filter(|(name, _)| in_query.contains(name));
    url.set_query(Some(&query(mi.filled().chain(context))));
    Some(url)
}

fn post_url(settings: &Settings, mi: &Mi<'_>) -> Option<Url> {
    let mut url = base(settings)?;
    url.path_segments_mut().ok()?.extend(["v2", "execute"]);
    let mut context = vec![
        ("maxrecs", "0"),
        ("extendedresult", "true"),
        ("righttrim", "true"),
        ("cono", settings.text("cono").unwrap_or_default()),
    ];
    let division = mi.division.or_else(|| settings.text("divi"));
    context.extend(division.map(|division| ("divi", division)));
    url.set_query(Some(&query(context.into_iter())));
    Some(url)
}

fn post_body(settings: &Settings, mi: &Mi<'_>) -> Value {
    let record: serde_json::Map<String, Value> = mi
        .filled()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    let company = settings.text("cono").unwrap_or_default();
    json!({
        "program": program(settings, mi.program),
        // A number in every body seen; a company is at most three digits.
        "cono": company.parse::<u32>().map_or_else(|_| Value::from(company), Value::from),
        "maxReturnedRecords": 0,
        "transactions": [{
            "transaction": mi.transaction,
            "record": record,
            "selectedColumns": [],
        }],
    })
}

/// Encoded with `%20` for a blank: a plus sign is read as itself by some grids.
fn query<'q>(pairs: impl Iterator<Item = (&'q str, &'q str)>) -> String {
    let encode = |text: &str| {
        url::form_urlencoded::byte_serialize(text.as_bytes())
            .collect::<String>()
            .replace('+', "%20")
    };
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let mut settings = Settings::default();
        for (name, value) in [
            ("iu", "https://gateway.inforcloudsuite.com"),
            ("ti", "ACME_TST"),
            ("cono", "100"),
            ("divi", "AAA"),
        ] {
            settings.set(name, value);
        }
        settings
    }

    #[test]
    fn a_read_names_its_context_in_both_forms_and_encodes_every_value() {
        let call = mi(
            "CRS620MI",
            "SearchSupplier",
            [
                ("SQRY", "SUNM:A&B=c/d?e#f%+ü\r\n".to_owned()),
                ("CONO", String::new()),
            ],
        )
        .list(50, &["SUNO", "SUNM"]);
        assert_eq!(
            get_url(&settings(), &call, Generation::Second)
                .unwrap()
                .as_str(),
            "https://gateway.inforcloudsuite.com/ACME_TST/M3/m3api-rest/v2/execute/CRS620MI/SearchSupplier;maxrecs=50;\
             excludempty=false;returncols=SUNO,SUNM;cono=100;divi=AAA?SQRY=SUNM%3AA%26B%3Dc%2Fd%3Fe%23f%25%2B%C3%BC%0D%0A\
             &maxrecs=50&cono=100&divi=AAA"
        );
        let blank = mi("EXPORTMI", "Select", []).in_division("");
        assert_eq!(
            get_url(&settings(), &blank, Generation::First)
                .unwrap()
                .as_str(),
            "https://gateway.inforcloudsuite.com/ACME_TST/M3/m3api-rest/execute/EXPORTMI/Select;maxrecs=1;\
             excludempty=false;cono=100;divi=?maxrecs=1&cono=100&divi="
        );
    }

    #[test]
    fn a_write_is_one_transaction_of_the_program_in_use() {
        let mut settings = settings();
        settings.0.insert(
            "mi_programs".to_owned(),
            crate::domain::connection::Setting::Table(std::collections::BTreeMap::from([(
                "PPS370MI".to_owned(),
                "EXT370MI".to_owned(),
            )])),
        );
        let call = mi(
            "PPS370MI",
            "AddHead",
            [("SUNO", "PC1".to_owned()), ("ORTY", String::new())],
        );
        assert_eq!(
            post_url(&settings, &call).unwrap().as_str(),
            "https://gateway.inforcloudsuite.com/ACME_TST/M3/m3api-rest/v2/execute?maxrecs=0&extendedresult=true\
             &righttrim=true&cono=100&divi=AAA"
        );
        assert_eq!(
            post_body(&settings, &call),
            json!({"program": "EXT370MI", "cono": 100, "maxReturnedRecords": 0, "transactions":
                [{"transaction": "AddHead", "record": {"SUNO": "PC1"}, "selectedColumns": []}]})
        );
    }
}
