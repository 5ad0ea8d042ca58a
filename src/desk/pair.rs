//! Pairs: made, changed, activated, paused and removed by people.

use super::blockers::{DryRun, Situation, may_mix};
use super::pair_entry::{self, EnteredSettings};
use super::{Desk, DeskError};
use crate::domain::audit::Happened;
use crate::domain::connection::Connection;
use crate::domain::fault::Issue;
use crate::domain::ids::{ConnectionId, PairId};
use crate::domain::member::Caller;
use crate::domain::pair::{Blocker, Pair, PairSettings, PairStatus};
use crate::domain::record::State;
use crate::domain::run::{Run, Trigger};
use crate::domain::system::PairKind;
use crate::engine::Engine;
use crate::engine::catalog::PairDeclaration;
use crate::store::{self, Scope, StoreError};

/// A pair as somebody wants it.
#[derive(Debug, Clone, Default)]
pub struct NewPair {
    pub kind: String,
    pub erp_connection_id: String,
    pub project_connection_id: String,
    pub settings: EnteredSettings,
}

/// What somebody wants changed. Kind and connections may be sent back as they are; others are refused.
#[derive(Debug, Clone, Default)]
pub struct ChangedPair {
    pub kind: Option<String>,
    pub erp_connection_id: Option<String>,
    pub project_connection_id: Option<String>,
    pub settings: EnteredSettings,
}

/// A pair with everything that pages and the API show of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub pair: Pair,
    /// Why it cannot be activated; empty while it is active.
    pub blockers: Vec<Blocker>,
    pub warnings: Vec<Blocker>,
    /// Records by state.
    pub work: Vec<(State, u64)>,
    /// The newest dry run that came to its end, and whether what it says still holds.
    pub dry_run: Option<(Run, bool)>,
}

/// Makes a pair. It moves nothing before it is activated.
///
/// # Errors
/// `Invalid` with every wrong field; `Missing` for a connection that is not there.
pub async fn create(desk: &Desk, caller: &Caller, new: NewPair) -> Result<Shown, DeskError> {
    let mut issues = Vec::new();
    let kind = kind_of(desk, &new.kind, &mut issues);
    let erp = id_of("erp_connection_id", &new.erp_connection_id, &mut issues);
    let project = id_of(
        "project_connection_id",
        &new.project_connection_id,
        &mut issues,
    );
    let Some(kind) = kind else {
        return Err(DeskError::Invalid(issues));
    };
    let mut settings = pair_entry::beginning(kind);
    issues.extend(pair_entry::apply(kind, &new.settings, &mut settings));
    if new.settings.name.is_none() {
        issues.push(Issue::new("name", "required", "give it a name"));
    }
    issues.extend(closed_flows(desk, kind, &settings));
    let (Some(erp), Some(project)) = (erp, project) else {
        return Err(DeskError::Invalid(issues));
    };
    let now = desk.engine.clock.now();
    let pair = Pair {
        id: PairId::generate(),
        kind: kind.kind.clone(),
        erp_connection_id: erp,
        project_connection_id: project,
        settings,
        status: PairStatus::Draft,
        version: 1,
        next_run_at: None,
        created_at: now,
        updated_at: now,
    };
    let engine = desk.engine.clone();
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                let erp = store::connection::find(scope, pair.erp_connection_id).await?;
                let project = store::connection::find(scope, pair.project_connection_id).await?;
                issues.extend(wrong_sides(kind, &erp, &project));
                issues.extend(mixed(&pair, &erp, &project));
                if !issues.is_empty() {
                    return Err(DeskError::Invalid(issues));
                }
                store::pair::insert(scope, &pair).await?;
                scope.tell(
                    Happened::new("pair.created", "pair", pair.id)
                        .with("kind", &pair.kind)
                        .with("name", &pair.settings.name),
                );
                shown(&engine, scope, pair.id).await
            })
        })
        .await
}

/// One pair.
///
/// # Errors
/// `Missing`.
pub async fn find(desk: &Desk, caller: &Caller, id: PairId) -> Result<Shown, DeskError> {
    let scope = desk.store().read(caller.tenant_id).await?;
    shown(&desk.engine, &scope, id).await
}

/// Pairs in order of birth, after the one named.
///
/// # Errors
/// `Store`.
pub async fn list(
    desk: &Desk,
    caller: &Caller,
    after: Option<PairId>,
    limit: u32,
) -> Result<Vec<Shown>, DeskError> {
    let scope = desk.store().read(caller.tenant_id).await?;
    let mut all = Vec::new();
    for pair in store::pair::list(&scope, after, limit).await? {
        all.push(show(&desk.engine, &scope, pair).await?);
    }
    Ok(all)
}

/// Changes the settings of a pair. What was listed before is listed again when the scope has changed.
///
/// # Errors
/// `Missing`; `Invalid` with every wrong field; `Blocked` when an active pair would take another one's
/// project; `NotNow` when somebody else changed it meanwhile.
pub async fn change(
    desk: &Desk,
    caller: &Caller,
    id: PairId,
    wanted: ChangedPair,
) -> Result<Shown, DeskError> {
    let before = {
        let scope = desk.store().read(caller.tenant_id).await?;
        store::pair::find(&scope, id).await?
    };
    let kind = declaration(&desk.engine, &before.kind)?;
    let mut after = before.clone();
    let mut issues = fixed(&before, &wanted);
    issues.extend(pair_entry::apply(
        kind,
        &wanted.settings,
        &mut after.settings,
    ));
    issues.extend(closed_flows(desk, kind, &after.settings));
    let engine = desk.engine.clone();
    let done = desk
        .store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                let erp = store::connection::find(scope, after.erp_connection_id).await?;
                let project = store::connection::find(scope, after.project_connection_id).await?;
                issues.extend(mixed(&after, &erp, &project));
                if !issues.is_empty() {
                    return Err(DeskError::Invalid(issues));
                }
                let fields = changed_fields(&before.settings, &after.settings);
                if !fields.is_empty() {
                    revise(&engine, scope, (kind, &after), &fields).await?;
                    if fields == ["start_date"] && begins_later(&before, &after) {
                        store::run::still_holds(scope, id, after.version).await?;
                    }
                }
                shown(&engine, scope, id).await
            })
        })
        .await;
    done.map_err(meanwhile)
}

/// Starts a pair: its first run begins at once.
///
/// # Errors
/// `Missing`; `Blocked` with everything that stands in the way; `NotNow` when it is active already.
pub async fn activate(
    desk: &Desk,
    caller: &Caller,
    id: PairId,
    dry_run: DryRun,
) -> Result<Shown, DeskError> {
    let engine = desk.engine.clone();
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                let pair = store::pair::find(scope, id).await?;
                let kind = declaration(&engine, &pair.kind)?;
                if pair.status == PairStatus::Active {
                    return Err(DeskError::not_now("already_active", "This pair is active."));
                }
                let situation = Situation::read(&engine, scope, &pair).await?;
                let blockers = situation.blockers(kind, &pair, dry_run);
                if !blockers.is_empty() {
                    return Err(DeskError::Blocked(blockers));
                }
                start(&engine, scope, (kind, &pair), dry_run).await?;
                shown(&engine, scope, id).await
            })
        })
        .await
}

/// Stops a pair: nothing more is read or written for it. What waits for approval stays.
///
/// # Errors
/// `Missing`; `NotNow` when it is not active.
pub async fn pause(desk: &Desk, caller: &Caller, id: PairId) -> Result<Shown, DeskError> {
    let engine = desk.engine.clone();
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                let pair = store::pair::find(scope, id).await?;
                if pair.status != PairStatus::Active {
                    return Err(DeskError::not_now("not_active", "This pair is not active."));
                }
                store::pair::set_status(scope, id, PairStatus::Paused, None).await?;
                scope.tell(Happened::new("pair.paused", "pair", id));
                shown(&engine, scope, id).await
            })
        })
        .await
}

/// Removes a pair that stands still. Its links and its trail stay readable.
///
/// # Errors
/// `Missing`; `NotNow` while it is active.
pub async fn remove(desk: &Desk, caller: &Caller, id: PairId) -> Result<(), DeskError> {
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                let pair = store::pair::find(scope, id).await?;
                if pair.status == PairStatus::Active {
                    let message = "This pair is active. Pause it first.";
                    return Err(DeskError::not_now("active", message));
                }
                let open = store::run::open_of_pair(scope, id).await?;
                let rehearsal = store::run::rehearsal_of_pair(scope, id).await?;
                for open in open.into_iter().chain(rehearsal) {
                    super::run::end(scope, &open.run, "The pair was removed.").await?;
                }
                store::pair::remove(scope, id).await?;
                scope.tell(
                    Happened::new("pair.removed", "pair", id).with("name", pair.settings.name),
                );
                Ok(())
            })
        })
        .await
}

/// What a kind of pair declares.
pub(super) fn declaration(
    engine: &Engine,
    kind: &PairKind,
) -> Result<&'static PairDeclaration, DeskError> {
    engine
        .pair_kind(kind)
        .ok_or(DeskError::Missing("kind of pair"))
}

async fn shown(engine: &Engine, scope: &Scope, id: PairId) -> Result<Shown, DeskError> {
    let pair = store::pair::find(scope, id).await?;
    show(engine, scope, pair).await
}

async fn show(engine: &Engine, scope: &Scope, pair: Pair) -> Result<Shown, DeskError> {
    let kind = declaration(engine, &pair.kind)?;
    let situation = Situation::read(engine, scope, &pair).await?;
    let blockers = match pair.status {
        PairStatus::Active => Vec::new(),
        PairStatus::Draft | PairStatus::Paused => situation.blockers(kind, &pair, DryRun::Needed),
    };
    Ok(Shown {
        blockers,
        warnings: situation.warnings(kind, &pair),
        dry_run: situation.dry_run(kind, &pair),
        work: store::tally::by_state(scope, Some(pair.id)).await?,
        pair,
    })
}

async fn revise(
    engine: &Engine,
    scope: &Scope,
    (kind, after): (&PairDeclaration, &Pair),
    fields: &[&str],
) -> Result<(), DeskError> {
    store::pair::revise(scope, after).await?;
    // Records that a listing passed over may be in scope now.
    if fields.iter().any(|field| SCOPE.contains(field)) {
        store::cursor::forget(scope, after.id).await?;
    }
    if after.status == PairStatus::Active {
        let overlaps = Situation::read(engine, scope, after)
            .await?
            .overlaps(kind, after);
        if !overlaps.is_empty() {
            return Err(DeskError::Blocked(overlaps));
        }
        if fields.contains(&"schedule") {
            let next = after
                .settings
                .schedule
                .next_at_pace(scope.now(), engine.pace);
            store::pair::set_next_run(scope, after.id, next).await?;
        }
        scope.wake(scope.now());
    }
    scope.tell(Happened::new("pair.changed", "pair", after.id).with("fields", fields.join(", ")));
    Ok(())
}

async fn start(
    engine: &Engine,
    scope: &Scope,
    (kind, pair): (&PairDeclaration, &Pair),
    dry_run: DryRun,
) -> Result<(), DeskError> {
    let next = pair
        .settings
        .schedule
        .next_at_pace(scope.now(), engine.pace);
    store::pair::set_status(scope, pair.id, PairStatus::Active, next).await?;
    let flows = kind
        .flows
        .iter()
        .filter(|flow| pair.flow(flow.name).enabled)
        .map(|flow| flow.name.to_owned())
        .collect();
    let run = store::run::open(scope, pair.id, flows, false, Trigger::Activation).await?;
    store::record::wake_pair(scope, pair.id).await?;
    scope.tell(
        Happened::new("pair.activated", "pair", pair.id)
            .with("without_dry_run", dry_run == DryRun::Waived)
            .in_run(Some(run)),
    );
    scope.wake(scope.now());
    Ok(())
}

/// A later start only leaves more out, so that a dry run made before shows no less than what will be written.
fn begins_later(before: &Pair, after: &Pair) -> bool {
    match (before.settings.start_date, after.settings.start_date) {
        (None, Some(_)) => true,
        (Some(before), Some(after)) => before < after,
        (_, None) => false,
    }
}

/// Settings that decide which source records are looked at.
const SCOPE: [&str; 4] = ["flows", "projects", "start_date", "policies"];

fn changed_fields(before: &PairSettings, after: &PairSettings) -> Vec<&'static str> {
    [
        ("name", before.name != after.name),
        ("flows", before.flows != after.flows),
        ("projects", before.projects != after.projects),
        ("schedule", before.schedule != after.schedule),
        ("start_date", before.start_date != after.start_date),
        ("policies", before.policies != after.policies),
    ]
    .into_iter()
    .filter(|(_, is_changed)| *is_changed)
    .map(|(name, _)| name)
    .collect()
}

fn kind_of(desk: &Desk, kind: &str, issues: &mut Vec<Issue>) -> Option<&'static PairDeclaration> {
    let found = desk
        .engine
        .pair_kind(&PairKind::from(kind.trim().to_owned()));
    if found.is_none() {
        let known: Vec<&str> = desk
            .engine
            .pairs
            .iter()
            .map(|kind| kind.kind.as_str())
            .collect();
        let message = format!("choose one of {}", known.join(", "));
        issues.push(Issue::new("kind", "unknown", message));
    }
    found
}

fn id_of(field: &str, text: &str, issues: &mut Vec<Issue>) -> Option<ConnectionId> {
    let text = text.trim();
    let parsed = text.parse().ok();
    if parsed.is_none() {
        let (code, message) = if text.is_empty() {
            ("required", "choose a connection")
        } else {
            ("not_an_id", "is not the id of a connection")
        };
        issues.push(Issue::new(field, code, message));
    }
    parsed
}

/// Kind and connections stay: links and records belong to them.
fn fixed(pair: &Pair, wanted: &ChangedPair) -> Vec<Issue> {
    [
        ("kind", &wanted.kind, pair.kind.to_string()),
        (
            "erp_connection_id",
            &wanted.erp_connection_id,
            pair.erp_connection_id.to_string(),
        ),
        (
            "project_connection_id",
            &wanted.project_connection_id,
            pair.project_connection_id.to_string(),
        ),
    ]
    .into_iter()
    .filter(|(_, wanted, is)| {
        let wanted = wanted.as_ref().map(|wanted| wanted.trim());
        wanted.is_some_and(|wanted| !wanted.eq_ignore_ascii_case(is))
    })
    .map(|(field, ..)| {
        let message = "cannot be changed: what was moved belongs to it; make another pair";
        Issue::new(field, "fixed", message)
    })
    .collect()
}

/// Flows that the two systems cannot move.
fn closed_flows(desk: &Desk, kind: &PairDeclaration, settings: &PairSettings) -> Vec<Issue> {
    kind.flows
        .iter()
        .filter(|flow| {
            let is_on = settings
                .flows
                .get(flow.name)
                .is_some_and(|setting| setting.enabled);
            is_on && !desk.engine.can_move(kind, flow)
        })
        .map(|flow| {
            let at = format!("flows/{}/enabled", flow.name);
            Issue::new(at, "not_available", "these systems cannot move it yet")
        })
        .collect()
}

fn wrong_sides(kind: &PairDeclaration, erp: &Connection, project: &Connection) -> Vec<Issue> {
    [
        ("erp_connection_id", erp, &kind.erp),
        ("project_connection_id", project, &kind.project),
    ]
    .into_iter()
    .filter(|(_, connection, side)| connection.system != side.system)
    .map(|(field, connection, side)| {
        let message = format!(
            "“{}” is no connection to {}; choose one that is",
            connection.name, side.title
        );
        Issue::new(field, "other_system", message)
    })
    .collect()
}

fn mixed(pair: &Pair, erp: &Connection, project: &Connection) -> Option<Issue> {
    (erp.environment != project.environment && !may_mix(pair)).then(|| {
        let message = format!(
            "“{}” is {} and “{}” is {}; set the policy mixed_environments if that is meant",
            project.name, project.environment, erp.name, erp.environment
        );
        Issue::new(
            "policies/mixed_environments",
            "environments_differ",
            message,
        )
    })
}

fn meanwhile(error: DeskError) -> DeskError {
    match error {
        DeskError::Store(StoreError::Stale(_)) => DeskError::not_now(
            "changed_meanwhile",
            "Somebody else changed this pair meanwhile. Look at it again and repeat your change.",
        ),
        error => error,
    }
}
