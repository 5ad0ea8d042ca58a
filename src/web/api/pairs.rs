//! Pairs over the API.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::call::{Answer, Call, created, nothing, ok};
use super::given::Given;
use crate::desk::pair::{self, ChangedPair, NewPair, Shown};
use crate::desk::{DeskError, DryRun, EnteredSettings};
use crate::domain::ids::PairId;
use crate::domain::pair::{FlowSetting, Policies, Projects};
use crate::domain::record::State;
use crate::domain::schedule::Schedule;
use crate::engine::catalog::{PairDeclaration, Policy, PolicyKind};
use crate::web::id::Id;
use crate::web::problem::{BlockerView, Problem};

/// One pair.
#[derive(Debug, Serialize, ToSchema)]
pub struct PairView {
    pub id: String,
    pub name: String,
    pub kind: String,
    pub erp_connection_id: String,
    pub procore_connection_id: String,
    pub flows: BTreeMap<String, FlowView>,
    pub projects: ProjectsView,
    pub schedule: ScheduleView,
    pub start_date: Option<String>,
    /// Every policy of this kind of pair with its value, the default where none was chosen.
    #[schema(value_type = Object)]
    pub policies: Map<String, Value>,
    /// `draft`, `active` or `paused`.
    pub status: String,
    /// Why it cannot be activated.
    pub blockers: Vec<BlockerView>,
    /// What does not stop the pair, but some of its records.
    pub warnings: Vec<BlockerView>,
    /// Records by state. At rest when `pending + syncing + retrying` is 0.
    pub work: BTreeMap<&'static str, u64>,
    /// Rises with every change of settings or mappings.
    pub version: i64,
    pub next_run_at: Option<String>,
    pub created_at: String,
    pub updated_at: String,
}

/// How one flow is switched.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowView {
    pub enabled: bool,
    /// `automatic` or `review`.
    pub approval: String,
}

impl From<FlowSetting> for FlowView {
    fn from(setting: FlowSetting) -> Self {
        Self {
            enabled: setting.enabled,
            approval: setting.approval.to_string(),
        }
    }
}

/// Which projects are in scope.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectsView {
    /// `all`, or a list of project ids.
    pub include: Value,
}

impl From<Projects> for ProjectsView {
    fn from(projects: Projects) -> Self {
        let include = match projects {
            Projects::All(word) => word.as_str().into(),
            Projects::Some(ids) => ids.into(),
        };
        Self { include }
    }
}

/// When the pair is polled.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScheduleView {
    pub every_minutes: u16,
    pub business_hours: Option<HoursView>,
    pub time_zone: String,
    pub holidays: Vec<String>,
}

/// Days and hours in which polling happens.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoursView {
    pub days: Vec<String>,
    pub from: String,
    pub to: String,
}

impl From<Schedule> for ScheduleView {
    fn from(schedule: Schedule) -> Self {
        Self {
            every_minutes: schedule.every_minutes,
            business_hours: schedule.business_hours.map(|hours| HoursView {
                days: hours.days,
                from: hours.from,
                to: hours.to,
            }),
            time_zone: schedule.time_zone,
            holidays: schedule.holidays.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A pair to be made.
#[derive(Debug, ToSchema)]
#[allow(
    dead_code,
    reason = "told in the OpenAPI document; the desk reads the parts"
)]
pub struct NewPairBody {
    pub name: String,
    pub kind: String,
    pub erp_connection_id: String,
    pub procore_connection_id: String,
    /// By name, each with `enabled` and `approval`.
    #[schema(value_type = Option<Object>)]
    pub flows: Option<Map<String, Value>>,
    #[schema(value_type = Option<Object>)]
    pub projects: Option<Map<String, Value>>,
    #[schema(value_type = Option<Object>)]
    pub schedule: Option<Map<String, Value>>,
    /// Source records that are older are ignored.
    pub start_date: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub policies: Option<Map<String, Value>>,
}

/// What is to be changed; what is not named stays.
#[derive(Debug, ToSchema)]
#[allow(
    dead_code,
    reason = "told in the OpenAPI document; the desk reads the parts"
)]
pub struct ChangedPairBody {
    pub name: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub flows: Option<Map<String, Value>>,
    #[schema(value_type = Option<Object>)]
    pub projects: Option<Map<String, Value>>,
    #[schema(value_type = Option<Object>)]
    pub schedule: Option<Map<String, Value>>,
    pub start_date: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub policies: Option<Map<String, Value>>,
}

/// How a pair is activated.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "told in the OpenAPI document")]
pub struct ActivateBody {
    /// Go on although no dry run was made since the last change.
    pub without_dry_run: Option<bool>,
}

fn view(call: &Call, shown: Shown) -> PairView {
    let pair = shown.pair;
    let declaration = call.desk().engine.pair_kind(&pair.kind);
    let policies =
        declaration.map_or_else(Map::new, |kind| policies(kind, &pair.settings.policies));
    let mut work: BTreeMap<&'static str, u64> =
        State::ALL.iter().map(|state| (state.as_str(), 0)).collect();
    work.extend(
        shown
            .work
            .iter()
            .map(|(state, count)| (state.as_str(), *count)),
    );
    let settings = pair.settings;
    let flows = settings.flows.into_iter();
    PairView {
        id: pair.id.to_string(),
        name: settings.name,
        kind: pair.kind.to_string(),
        erp_connection_id: pair.erp_connection_id.to_string(),
        procore_connection_id: pair.project_connection_id.to_string(),
        flows: flows.map(|(name, flow)| (name, flow.into())).collect(),
        projects: settings.projects.into(),
        schedule: settings.schedule.into(),
        start_date: settings.start_date.map(|day| day.to_string()),
        policies,
        status: pair.status.to_string(),
        blockers: shown.blockers.into_iter().map(BlockerView::from).collect(),
        warnings: shown.warnings.into_iter().map(BlockerView::from).collect(),
        work,
        version: pair.version,
        next_run_at: pair.next_run_at.map(|at| at.to_string()),
        created_at: pair.created_at.to_string(),
        updated_at: pair.updated_at.to_string(),
    }
}

/// Every policy with its value in force; `a.b` is `b` inside of `a`.
fn policies(kind: &PairDeclaration, chosen: &Policies) -> Map<String, Value> {
    let mut all = Map::new();
    let mut statuses: Map<String, Value> = kind
        .flows
        .iter()
        .filter(|flow| !flow.statuses.is_empty())
        .map(|flow| (flow.name.to_owned(), flow.statuses.into()))
        .collect();
    for (flow, words) in &chosen.statuses {
        statuses.insert(flow.clone(), words.clone().into());
    }
    all.insert("statuses".to_owned(), Value::Object(statuses));
    for policy in kind.policies {
        let value = policy_value(policy, chosen.rule(policy.name, policy.default));
        match policy.name.split_once('.') {
            None => {
                all.insert(policy.name.to_owned(), value);
            }
            Some((outer, inner)) => {
                let outer = all
                    .entry(outer)
                    .or_insert_with(|| Value::Object(Map::new()));
                if let Some(object) = outer.as_object_mut() {
                    object.insert(inner.to_owned(), value);
                }
            }
        }
    }
    all
}

fn policy_value(policy: &Policy, text: &str) -> Value {
    match policy.kind {
        PolicyKind::YesNo => (text == "true").into(),
        PolicyKind::Number { .. } => text.parse::<u32>().map_or(Value::Null, Value::from),
        PolicyKind::Choice(_) | PolicyKind::Date if text.is_empty() => Value::Null,
        PolicyKind::Choice(_) | PolicyKind::Date => text.into(),
    }
}

fn settings(given: &Given) -> EnteredSettings {
    let part = |name| given.value(name).cloned();
    EnteredSettings {
        name: part("name"),
        flows: part("flows"),
        projects: part("projects"),
        schedule: part("schedule"),
        // `null` takes it back.
        start_date: given
            .has("start_date")
            .then(|| part("start_date").unwrap_or_default()),
        policies: part("policies"),
    }
}

/// The desk knows two sides, the API two names.
fn named(error: DeskError) -> Problem {
    match error {
        DeskError::Invalid(mut issues) => {
            for issue in &mut issues {
                if issue.field == "project_connection_id" {
                    "procore_connection_id".clone_into(&mut issue.field);
                }
            }
            Problem::invalid(issues)
        }
        error => error.into(),
    }
}

/// `GET /api/v1/pairs`.
///
/// # Errors
/// As the desk's.
pub async fn list(call: Call) -> Answer {
    let paging = call.paging()?;
    let after: Option<PairId> = paging.before()?;
    let found = pair::list(call.desk(), &call.caller, after, paging.one_more()).await?;
    let page = paging.cut(found, |shown| shown.pair.id.to_string());
    ok(&page.map(|shown| view(&call, shown)))
}

/// `POST /api/v1/pairs`.
///
/// # Errors
/// As the desk's.
pub async fn create(call: Call) -> Answer {
    let mut given = call.given()?;
    let new = NewPair {
        kind: given.text("kind").unwrap_or_default(),
        erp_connection_id: given.text("erp_connection_id").unwrap_or_default(),
        project_connection_id: given.text("procore_connection_id").unwrap_or_default(),
        settings: settings(&given),
    };
    given.done()?;
    let made = pair::create(call.desk(), &call.caller, new)
        .await
        .map_err(named)?;
    let at = format!("/api/v1/pairs/{}", made.pair.id);
    created(&at, &view(&call, made))
}

/// `GET /api/v1/pairs/{id}`.
///
/// # Errors
/// `missing`.
pub async fn show(call: Call, id: Id<PairId>) -> Answer {
    let found = pair::find(call.desk(), &call.caller, id.0).await?;
    ok(&view(&call, found))
}

/// `PATCH /api/v1/pairs/{id}`.
///
/// # Errors
/// As the desk's.
pub async fn change(call: Call, id: Id<PairId>) -> Answer {
    let mut given = call.given()?;
    let wanted = ChangedPair {
        kind: given.text("kind"),
        erp_connection_id: given.text("erp_connection_id"),
        project_connection_id: given.text("procore_connection_id"),
        settings: settings(&given),
    };
    given.done()?;
    let after = pair::change(call.desk(), &call.caller, id.0, wanted)
        .await
        .map_err(named)?;
    ok(&view(&call, after))
}

/// `DELETE /api/v1/pairs/{id}`.
///
/// # Errors
/// As the desk's.
pub async fn remove(call: Call, id: Id<PairId>) -> Answer {
    pair::remove(call.desk(), &call.caller, id.0).await?;
    nothing()
}

/// `POST /api/v1/pairs/{id}/activate`.
///
/// # Errors
/// As the desk's.
pub async fn activate(call: Call, id: Id<PairId>) -> Answer {
    let mut given = call.given()?;
    let dry_run = match given.flag("without_dry_run") {
        Some(true) => DryRun::Waived,
        Some(false) | None => DryRun::Needed,
    };
    given.done()?;
    let active = pair::activate(call.desk(), &call.caller, id.0, dry_run).await?;
    ok(&view(&call, active))
}

/// `POST /api/v1/pairs/{id}/pause`.
///
/// # Errors
/// As the desk's.
pub async fn pause(call: Call, id: Id<PairId>) -> Answer {
    let paused = pair::pause(call.desk(), &call.caller, id.0).await?;
    ok(&view(&call, paused))
}
