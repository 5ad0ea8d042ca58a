//! The table of every route: method, path, who may, and the handler. The router, the test of the role
//! matrix and the OpenAPI document are made from it, so that none of them can disagree.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, guard};

use super::api::{self, me};
use super::doc::{Doc, array, lines, list, of};
use super::gate::{self, PATIENCE};
use super::problem::Problem;
use super::records::{act, bulk, list as records, show as record};
use super::{
    account, approvals, assets, audit, connections, cross_references, dashboard, health, landing,
    mapping_file, mappings, openapi, pairs, report, runs, sign_in, sign_up, suggestions, tokens,
};
use crate::domain::member::Scope;

/// A method that some route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    #[must_use]
    pub fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
            Self::Patch => Method::PATCH,
            Self::Delete => Method::DELETE,
        }
    }

    /// Whether it changes something, and carries a body.
    #[must_use]
    pub fn writes(self) -> bool {
        self != Self::Get
    }
}

/// Through which door a request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// People, by the cookie of a session.
    Page,
    /// Programs, by a bearer token.
    Api,
    /// Nobody is asked who they are.
    Open,
}

/// What the sender needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nobody,
    /// To be known.
    Anybody,
    /// To be known, and this right.
    Scope(Scope),
    /// To be known, and one of these rights: which one depends on the act that the body names.
    OneOf(&'static [Scope]),
}

/// One line of the table.
pub struct Route {
    pub verb: Verb,
    pub path: &'static str,
    pub door: Door,
    pub needs: Needs,
    handler: fn() -> actix_web::Route,
    pub body_max: usize,
    /// How long the handler may take.
    pub patience: Duration,
    /// An `Idempotency-Key` counts.
    pub creates: bool,
    /// A second kind of body beside JSON.
    also: &'static str,
    /// How the OpenAPI document tells it.
    pub doc: Option<Doc>,
}

/// Larger than any form but a mapping table.
const BODY_MAX: usize = 1024 * 1024;
/// A whole mapping table.
const TABLE_MAX: usize = 16 * 1024 * 1024;
/// A test has a deadline of its own, which comes first.
const PING_MAX: Duration = Duration::from_secs(40);

impl Route {
    const fn new(
        verb: Verb,
        path: &'static str,
        door: Door,
        needs: Needs,
        handler: fn() -> actix_web::Route,
    ) -> Self {
        Self {
            verb,
            path,
            door,
            needs,
            handler,
            body_max: BODY_MAX,
            patience: PATIENCE,
            creates: false,
            also: "",
            doc: None,
        }
    }

    const fn told(mut self, doc: Doc) -> Self {
        self.doc = Some(doc);
        self
    }

    const fn takes_up_to(mut self, bytes: usize) -> Self {
        self.body_max = bytes;
        self
    }

    /// A second kind of body is read, too.
    const fn also_takes(mut self, kind: &'static str) -> Self {
        self.also = kind;
        self
    }

    const fn may_take(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    const fn creates(mut self) -> Self {
        self.creates = true;
        self
    }

    /// Whether a body of this media type is read.
    #[must_use]
    pub fn takes_kind(&self, kind: &str) -> bool {
        kind == "application/json" || (!self.also.is_empty() && kind == self.also)
    }
}

type Handler = fn() -> actix_web::Route;

const fn open(path: &'static str, handler: Handler) -> Route {
    Route::new(Verb::Get, path, Door::Open, Needs::Nobody, handler)
}

const fn page(verb: Verb, path: &'static str, needs: Needs, handler: Handler) -> Route {
    Route::new(verb, path, Door::Page, needs, handler)
}

const fn call(verb: Verb, path: &'static str, needs: Needs, handler: Handler, doc: Doc) -> Route {
    Route::new(verb, path, Door::Api, needs, handler).told(doc)
}

const NOBODY: Needs = Needs::Nobody;
const ANYBODY: Needs = Needs::Anybody;
const OPERATE_OR_APPROVE: Needs = Needs::OneOf(&[Scope::Operate, Scope::Approve]);
const READ: Needs = Needs::Scope(Scope::Read);
const OPERATE: Needs = Needs::Scope(Scope::Operate);
const APPROVE: Needs = Needs::Scope(Scope::Approve);
const ADMIN: Needs = Needs::Scope(Scope::Admin);

const RECORD_FILTERS: &[(&str, &str)] = &[
    ("pair", "Of this pair"),
    ("flow", "Of this flow"),
    ("state", "One state, or several with commas"),
    (
        "q",
        "A part of a number, a counterparty, a project or an id",
    ),
    ("updated_after", "RFC 3339"),
    ("run", "Last worked by this run"),
    (
        "flag",
        "`diverged`, `orphaned`, `superseded`, `outcome_unknown`, `blocked`, `duplicate`",
    ),
];

/// A million events are hashed in seconds.
const VERIFY_MAX: Duration = Duration::from_secs(120);
/// An act on many records is carried out before it is answered.
const BULK_MAX: Duration = Duration::from_secs(120);

/// THE table.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    open("/healthz", || web::to(health::healthz)),
    open("/readyz", || web::to(health::readyz)),
    open("/static/{file:.*}", || web::to(assets::file)),
    open("/favicon.ico", || web::to(assets::favicon)),
    open("/robots.txt", || web::to(assets::robots)),
    open("/api/openapi.json", || web::to(openapi::document)),

    page(Verb::Get, "/", NOBODY, || web::to(landing::show)),
    page(Verb::Get, "/api", NOBODY, || web::to(openapi::page)),
    page(Verb::Get, "/sign-up", NOBODY, || web::to(sign_up::new)),
    page(Verb::Post, "/sign-up", NOBODY, || web::to(sign_up::create)),
    page(Verb::Get, "/sign-in", NOBODY, || web::to(sign_in::new)),
    page(Verb::Post, "/sign-in", NOBODY, || web::to(sign_in::create)),
    page(Verb::Post, "/sign-out", ANYBODY, || web::to(sign_in::end)),
    page(Verb::Get, "/account", ANYBODY, || web::to(account::show)),
    page(Verb::Post, "/account/password", ANYBODY, || web::to(account::change_password)),
    page(Verb::Post, "/account/sessions/{id}/end", ANYBODY, || web::to(account::end)),
    page(Verb::Get, "/dashboard", READ, || web::to(dashboard::show)),
    page(Verb::Get, "/connections", READ, || web::to(connections::list::list)),
    page(Verb::Get, "/connections/new", ADMIN, || web::to(connections::edit::new)),
    page(Verb::Post, "/connections", ADMIN, || web::to(connections::edit::create)).may_take(PING_MAX),
    page(Verb::Get, "/connections/{id}", READ, || web::to(connections::show::show)),
    page(Verb::Post, "/connections/{id}", ADMIN, || web::to(connections::edit::change)).may_take(PING_MAX),
    page(Verb::Get, "/connections/{id}/edit", ADMIN, || web::to(connections::edit::edit)),
    page(Verb::Post, "/connections/{id}/ping", OPERATE, || web::to(connections::act::ping))
        .may_take(PING_MAX),
    page(Verb::Get, "/connections/{id}/remove", ADMIN, || web::to(connections::act::ask_remove)),
    page(Verb::Post, "/connections/{id}/remove", ADMIN, || web::to(connections::act::remove)),
    page(Verb::Get, "/pairs", READ, || web::to(pairs::list::list)),
    page(Verb::Get, "/pairs/new", ADMIN, || web::to(pairs::edit::new)),
    page(Verb::Post, "/pairs", ADMIN, || web::to(pairs::edit::create)),
    page(Verb::Get, "/pairs/{id}", READ, || web::to(pairs::show::show)),
    page(Verb::Get, "/pairs/{id}/events", READ, || web::to(pairs::show::watch)),
    page(Verb::Post, "/pairs/{id}", ADMIN, || web::to(pairs::edit::change)),
    page(Verb::Get, "/pairs/{id}/edit", ADMIN, || web::to(pairs::edit::edit)),
    page(Verb::Post, "/pairs/{id}/activate", ADMIN, || web::to(pairs::act::activate)),
    page(Verb::Post, "/pairs/{id}/pause", ADMIN, || web::to(pairs::act::pause)),
    page(Verb::Post, "/pairs/{id}/runs", OPERATE, || web::to(pairs::act::start)),
    page(Verb::Get, "/pairs/{id}/remove", ADMIN, || web::to(pairs::act::ask_remove)),
    page(Verb::Post, "/pairs/{id}/remove", ADMIN, || web::to(pairs::act::remove)),
    page(Verb::Get, "/pairs/{id}/mappings/{kind}", READ, || web::to(mappings::show)),
    page(Verb::Post, "/pairs/{id}/mappings/{kind}", OPERATE, || web::to(mappings::save)),
    page(Verb::Get, "/pairs/{id}/mappings/{kind}/suggestions", READ, || web::to(suggestions::show)),
    page(Verb::Post, "/pairs/{id}/mappings/{kind}/suggestions", OPERATE, || web::to(suggestions::accept)),
    page(Verb::Post, "/pairs/{id}/mappings/{kind}/load", OPERATE, || web::to(suggestions::load)),
    page(Verb::Get, "/pairs/{id}/mappings/{kind}/file", READ, || web::to(mapping_file::download)),
    page(Verb::Get, "/pairs/{id}/mappings/{kind}/upload", OPERATE, || web::to(mapping_file::new)),
    page(Verb::Post, "/pairs/{id}/mappings/{kind}/upload", OPERATE, || web::to(mapping_file::upload))
        .takes_up_to(TABLE_MAX),
    page(Verb::Get, "/records", READ, || web::to(records::list)),
    page(Verb::Get, "/records/bulk", OPERATE_OR_APPROVE, || web::to(bulk::ask)),
    page(Verb::Post, "/records/bulk", OPERATE_OR_APPROVE, || web::to(bulk::carry_out)).may_take(BULK_MAX),
    page(Verb::Get, "/records/{id}", READ, || web::to(record::show)),
    page(Verb::Get, "/records/{id}/events", READ, || web::to(record::watch)),
    page(Verb::Post, "/records/{id}/retry", OPERATE, || web::to(act::retry)),
    page(Verb::Post, "/records/{id}/replay", OPERATE, || web::to(act::replay)),
    page(Verb::Get, "/records/{id}/ignore", OPERATE, || web::to(act::ask_ignore)),
    page(Verb::Post, "/records/{id}/ignore", OPERATE, || web::to(act::ignore)),
    page(Verb::Post, "/records/{id}/link", OPERATE, || web::to(act::link)),
    page(Verb::Post, "/records/{id}/create", OPERATE, || web::to(act::create)),
    page(Verb::Get, "/approvals", READ, || web::to(approvals::list)),
    page(Verb::Get, "/approvals/{id}", READ, || web::to(approvals::show)),
    page(Verb::Post, "/approvals/{id}/approve", APPROVE, || web::to(approvals::approve)),
    page(Verb::Post, "/approvals/{id}/reject", APPROVE, || web::to(approvals::reject)),
    page(Verb::Get, "/runs", READ, || web::to(runs::list)),
    page(Verb::Get, "/runs/events", READ, || web::to(runs::watch_all)),
    page(Verb::Get, "/runs/{id}", READ, || web::to(runs::show)),
    page(Verb::Get, "/runs/{id}/changes", READ, || web::to(report::export)),
    page(Verb::Get, "/runs/{id}/events", READ, || web::to(runs::watch)),
    page(Verb::Post, "/runs/{id}/cancel", OPERATE, || web::to(runs::cancel)),
    page(Verb::Get, "/cross-references", READ, || web::to(cross_references::list)),
    page(Verb::Get, "/audit", READ, || web::to(audit::list)),
    page(Verb::Get, "/audit/export", READ, || web::to(audit::export)),
    page(Verb::Get, "/audit/verify", READ, || web::to(audit::verify)).may_take(VERIFY_MAX),
    page(Verb::Get, "/dashboard/events", READ, || web::to(dashboard::watch)),
    page(Verb::Get, "/tokens", ADMIN, || web::to(tokens::list)),
    page(Verb::Get, "/tokens/new", ADMIN, || web::to(tokens::new)),
    page(Verb::Post, "/tokens", ADMIN, || web::to(tokens::create)),
    page(Verb::Get, "/tokens/{id}/revoke", ADMIN, || web::to(tokens::ask)),
    page(Verb::Post, "/tokens/{id}/revoke", ADMIN, || web::to(tokens::revoke)),

    call(Verb::Get, "/api/v1/me", ANYBODY, || web::to(me::show),
        Doc::new("Who you are, and what you may do").gives(200, of::<me::Me>)),
    call(Verb::Get, "/api/v1/tokens", ADMIN, || web::to(api::tokens::list),
        Doc::new("Lists API tokens, newest first").gives(200, list::<api::tokens::Token>).paged()),
    call(Verb::Post, "/api/v1/tokens", ADMIN, || web::to(api::tokens::create),
        Doc::new("Makes an API token; its text is in this answer only")
            .takes(of::<api::tokens::NewTokenBody>).gives(201, of::<api::tokens::MadeToken>)).creates(),
    call(Verb::Delete, "/api/v1/tokens/{id}", ADMIN, || web::to(api::tokens::revoke),
        Doc::new("Revokes an API token").gives_nothing()),

    call(Verb::Get, "/api/v1/connections", READ, || web::to(api::connections::list),
        Doc::new("Lists connections").gives(200, list::<api::connections::ConnectionView>).paged()),
    call(Verb::Post, "/api/v1/connections", ADMIN, || web::to(api::connections::create),
        Doc::new("Makes a connection; nothing is sent to the system")
            .takes(of::<api::connections::NewConnectionBody>).gives(201, of::<api::connections::ConnectionView>)).creates(),
    call(Verb::Get, "/api/v1/connections/{id}", READ, || web::to(api::connections::show),
        Doc::new("Shows a connection, without its secrets").gives(200, of::<api::connections::ConnectionView>)),
    call(Verb::Patch, "/api/v1/connections/{id}", ADMIN, || web::to(api::connections::change),
        Doc::new("Changes a connection or replaces its secrets; another host forgets those that are not sent again")
            .takes(of::<api::connections::ChangedConnectionBody>).gives(200, of::<api::connections::ConnectionView>)),
    call(Verb::Delete, "/api/v1/connections/{id}", ADMIN, || web::to(api::connections::remove),
        Doc::new("Removes a connection that no pair uses").gives_nothing()),
    call(Verb::Post, "/api/v1/connections/{id}/ping", OPERATE, || web::to(api::connections::ping),
        Doc::new("Tests a connection now, step by step").gives(200, of::<api::connections::PingView>)).may_take(PING_MAX),

    call(Verb::Get, "/api/v1/pairs", READ, || web::to(api::pairs::list),
        Doc::new("Lists pairs").gives(200, list::<api::pairs::PairView>).paged()),
    call(Verb::Post, "/api/v1/pairs", ADMIN, || web::to(api::pairs::create),
        Doc::new("Makes a pair, which moves nothing before it is activated")
            .takes(of::<api::pairs::NewPairBody>).gives(201, of::<api::pairs::PairView>)).creates(),
    call(Verb::Get, "/api/v1/pairs/{id}", READ, || web::to(api::pairs::show),
        Doc::new("Shows a pair with its blockers and its work").gives(200, of::<api::pairs::PairView>)),
    call(Verb::Patch, "/api/v1/pairs/{id}", ADMIN, || web::to(api::pairs::change),
        Doc::new("Changes the settings of a pair")
            .takes(of::<api::pairs::ChangedPairBody>).gives(200, of::<api::pairs::PairView>)),
    call(Verb::Delete, "/api/v1/pairs/{id}", ADMIN, || web::to(api::pairs::remove),
        Doc::new("Removes a pair that is not active; its links and its trail stay").gives_nothing()),
    call(Verb::Post, "/api/v1/pairs/{id}/activate", ADMIN, || web::to(api::pairs::activate),
        Doc::new("Starts a pair, or tells everything that stands in the way")
            .takes(of::<api::pairs::ActivateBody>).gives(200, of::<api::pairs::PairView>)),
    call(Verb::Post, "/api/v1/pairs/{id}/pause", ADMIN, || web::to(api::pairs::pause),
        Doc::new("Stops a pair").gives(200, of::<api::pairs::PairView>)),
    call(Verb::Get, "/api/v1/pairs/{id}/mappings/{kind}", READ, || web::to(api::mappings::list),
        Doc::new("Lists the rows of a mapping table; whole as a file with `format=csv`, or by the Accept header")
            .gives(200, list::<api::mappings::MappingRow>).paged()
            .query(&[("format", "`json` or `csv`; the Accept header says the same")])),
    call(Verb::Put, "/api/v1/pairs/{id}/mappings/{kind}", OPERATE, || web::to(api::mappings::replace),
        Doc::new("Replaces a mapping table whole; an empty array clears it. Also as `text/csv` with a header row")
            .takes(array::<api::mappings::NewMappingRow>).gives(200, of::<api::mappings::ReplacedView>))
        .takes_up_to(TABLE_MAX).also_takes("text/csv"),

    call(Verb::Get, "/api/v1/pairs/{id}/mappings/{kind}/suggestions", READ, || web::to(api::suggestions::list),
        Doc::new("Proposes rows for a mapping table, with a score in per cent and a reason; nothing is applied")
            .gives(200, list::<api::suggestions::SuggestionView>).paged()),
    call(Verb::Get, "/api/v1/pairs/{id}/coverage", READ, || web::to(api::suggestions::coverage),
        Doc::new("Tells how much of each mapped project's budget has a row in the cost code mapping")
            .gives(200, list::<api::suggestions::CoverageView>).paged()),

    call(Verb::Post, "/api/v1/pairs/{id}/runs", OPERATE, || web::to(api::runs::start),
        Doc::new("Starts a run, or joins the one that is open")
            .takes(of::<api::runs::NewRunBody>).gives(202, of::<api::runs::Started>)).creates(),
    call(Verb::Get, "/api/v1/runs", READ, || web::to(api::runs::list),
        Doc::new("Lists runs, newest first").gives(200, list::<api::runs::RunView>).paged()
            .query(&[("pair", "Of this pair")])),
    call(Verb::Get, "/api/v1/runs/{id}", READ, || web::to(api::runs::show),
        Doc::new("Shows a run with its counts").gives(200, of::<api::runs::RunView>)),
    call(Verb::Get, "/api/v1/runs/{id}/changes", READ, || web::to(api::changes::list),
        Doc::new("Lists what a dry run foresees; whole as a file with `format=csv` or `format=jsonl`")
            .gives(200, list::<api::changes::ForeseenView>).paged()
            .query(&[("flow", "Of this flow"), ("action", "One action, or several with commas"),
                ("format", "`json`, `csv` or `jsonl`; the Accept header says the same")])),
    call(Verb::Post, "/api/v1/runs/{id}/cancel", OPERATE, || web::to(api::runs::cancel),
        Doc::new("Ends a run; what it has seen goes on by itself").gives(200, of::<api::runs::RunView>)),

    call(Verb::Get, "/api/v1/records", READ, || web::to(api::records::list),
        Doc::new("Lists records, newest first").gives(200, list::<api::records::RecordView>).paged()
            .query(RECORD_FILTERS)),
    call(Verb::Post, "/api/v1/records/bulk", OPERATE_OR_APPROVE, || web::to(api::records::bulk),
        Doc::new("Does one act on everything that a filter matches")
            .takes(of::<api::records::BulkBody>).gives(202, of::<api::records::Matched>)).may_take(BULK_MAX),
    call(Verb::Get, "/api/v1/records/{id}", READ, || web::to(api::records::show),
        Doc::new("Shows a record, whole").gives(200, of::<api::records::WholeRecordView>)),
    call(Verb::Get, "/api/v1/records/{id}/audit", READ, || web::to(api::records::trail),
        Doc::new("Lists what happened to a record, oldest first")
            .gives(200, list::<api::trail::EventView>).paged()),
    call(Verb::Post, "/api/v1/records/{id}/retry", OPERATE, || web::to(api::records::retry),
        Doc::new("Reads the source again and goes on").gives(202, of::<api::records::RecordView>)),
    call(Verb::Post, "/api/v1/records/{id}/replay", OPERATE, || web::to(api::records::replay),
        Doc::new("Works from the stored source").gives(202, of::<api::records::RecordView>)),
    call(Verb::Post, "/api/v1/records/{id}/ignore", OPERATE, || web::to(api::records::ignore),
        Doc::new("Puts a record aside")
            .takes(of::<api::records::IgnoreBody>).gives(200, of::<api::records::RecordView>)),
    call(Verb::Post, "/api/v1/records/{id}/link", OPERATE, || web::to(api::records::link),
        Doc::new("Says which record of the target it is, or that it is a new one")
            .takes(of::<api::records::LinkBody>).gives(202, of::<api::records::RecordView>)),
    call(Verb::Post, "/api/v1/records/{id}/approve", APPROVE, || web::to(api::records::approve),
        Doc::new("Lets a write through, bound to what was looked at")
            .takes(of::<api::records::ApproveBody>).gives(202, of::<api::records::RecordView>)),
    call(Verb::Post, "/api/v1/records/{id}/reject", APPROVE, || web::to(api::records::reject),
        Doc::new("Does not let a write through")
            .takes(of::<api::records::RejectBody>).gives(200, of::<api::records::RecordView>)),
    call(Verb::Get, "/api/v1/failures", READ, || web::to(api::failures::list),
        Doc::new("Lists what stands still, failed or waiting, by cause: failed first")
            .gives(200, list::<api::failures::FailureView>).paged().query(&[("pair", "Of this pair")])),
    call(Verb::Get, "/api/v1/cross-references", READ, || web::to(api::links::list),
        Doc::new("Lists which record of one system is which of the other")
            .gives(200, list::<api::links::LinkView>).paged()
            .query(&[("pair", ""), ("entity", ""), ("source_id", ""), ("target_id", "")])),
    call(Verb::Get, "/api/v1/audit", READ, || web::to(api::trail::list),
        Doc::new("Lists the trail, newest first").gives(200, list::<api::trail::EventView>).paged()
            .query(&[("from", "RFC 3339, or a day"), ("to", "RFC 3339, or a day"), ("actor", "An id"),
                ("action", "As `record.approved`"), ("record", "The id of what it is about")])),
    call(Verb::Get, "/api/v1/audit/export", READ, || web::to(api::trail::export),
        Doc::new("Gives one unbroken range of the trail, an event a line, to be verified by itself")
            .gives(200, lines).query(&[("format", "`jsonl` or `csv`"), ("from", "RFC 3339, or a day"),
                ("to", "RFC 3339, or a day")])),
    call(Verb::Get, "/api/v1/audit/verify", READ, || web::to(api::trail::verify),
        Doc::new("Verifies the whole trail; 200 also when it does not hold")
            .gives(200, of::<api::trail::VerificationView>)).may_take(VERIFY_MAX),
];

/// Puts the table into the router. What it does not hold is answered the same way everywhere.
pub fn mount(config: &mut ServiceConfig) {
    let mut paths: Vec<&'static str> = ROUTES.iter().map(|route| route.path).collect();
    paths.sort_unstable();
    paths.dedup();
    // A path with a fixed word goes before one that takes anything in its place.
    paths.sort_by_key(|path| path.contains('{'));
    for path in paths {
        let mut resource = web::resource(path);
        let here = ROUTES.iter().filter(|route| route.path == path);
        let mut allowed = Vec::new();
        for route in here {
            allowed.push(route.verb);
            resource = resource.route(with_gate(route));
        }
        config.service(resource.default_service(web::to(move || wrong_method(allowed.clone()))));
    }
    config.default_service(web::to(nothing_here));
}

fn with_gate(route: &'static Route) -> actix_web::Route {
    let method = route.verb.method();
    let is_asked = if route.verb == Verb::Get {
        guard::Any(guard::Method(method)).or(guard::Head())
    } else {
        guard::Any(guard::Method(method))
    };
    (route.handler)()
        .guard(is_asked)
        .wrap(from_fn(move |request, next| {
            gate::pass(route, request, next)
        }))
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::missing("page"))
}

async fn wrong_method(allowed: Vec<Verb>) -> HttpResponse {
    let mut methods: Vec<String> = allowed
        .iter()
        .map(|verb| verb.method().to_string())
        .collect();
    if allowed.contains(&Verb::Get) {
        methods.push(Method::HEAD.to_string());
    }
    let mut answer = HttpResponse::from_error(Problem::wrong_method());
    if let Ok(list) = methods.join(", ").parse() {
        answer
            .headers_mut()
            .insert(actix_web::http::header::ALLOW, list);
    }
    answer
}
