//! What stands in the way of activating a pair, and what is worth knowing beforehand.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::connection::Connection;
use crate::domain::ids::PairId;
use crate::domain::mapping::{MappingKind, Tables, value};
use crate::domain::pair::{Approval, Blocker, Pair, PairStatus};
use crate::domain::records::Project;
use crate::domain::run::Run;
use crate::engine::Engine;
use crate::engine::catalog::{PairDeclaration, PairFlow};
use crate::store::mapping::Standing;
use crate::store::run::Basis;
use crate::store::{self, Scope, StoreError};

/// Projects that are named one by one in a message.
const NAMED_MAX: usize = 5;

/// What a dry run would have shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRun {
    /// One since the last change is asked for.
    Needed,
    /// The person goes on without one.
    Waived,
}

/// Everything that activation looks at, read in one go.
pub(super) struct Situation {
    erp: Connection,
    project: Connection,
    /// Keys of mapped projects.
    mapped: BTreeSet<String>,
    known: Vec<Project>,
    standing: BTreeMap<MappingKind, Standing>,
    /// Projects of other active pairs at the same place, with the pair that has them.
    taken: BTreeMap<String, Taken>,
    /// The newest dry run that came to its end, and the flows that were rehearsed since the last change.
    last_dry_run: Option<Run>,
    rehearsed: BTreeSet<String>,
}

/// Whose a project is already.
struct Taken {
    pair_name: String,
}

impl Situation {
    /// Reads it.
    pub(super) async fn read(
        engine: &Engine,
        scope: &Scope,
        pair: &Pair,
    ) -> Result<Self, StoreError> {
        let erp = store::connection::find(scope, pair.erp_connection_id).await?;
        let project = store::connection::find(scope, pair.project_connection_id).await?;
        let tables = store::mapping::tables(scope, pair.id).await?;
        let basis = Basis {
            pair_version: pair.version,
            erp_version: erp.version,
            project_version: project.version,
        };
        let current = store::run::rehearsed(scope, pair.id, basis).await?;
        Ok(Self {
            rehearsed: current
                .into_iter()
                .flat_map(|run| run.flows.into_keys())
                .collect(),
            last_dry_run: store::run::last_rehearsal(scope, pair.id).await?,
            mapped: mapped(&tables),
            known: store::known_project::list(scope, project.id).await?,
            standing: store::mapping::standing(scope, pair.id).await?,
            taken: taken(engine, scope, pair, &project).await?,
            erp,
            project,
        })
    }

    /// Every reason why the pair cannot be activated.
    pub(super) fn blockers(
        &self,
        kind: &PairDeclaration,
        pair: &Pair,
        dry_run: DryRun,
    ) -> Vec<Blocker> {
        let mut blockers = Vec::new();
        blockers.extend([&self.project, &self.erp].into_iter().filter_map(untested));
        blockers.extend(self.environments_differ(pair));
        if !kind.flows.iter().any(|flow| pair.flow(flow.name).enabled) {
            let message = "No flow is switched on.";
            blockers.push(blocker("no_flow", message, "flows"));
        }
        if moves_money(kind, pair) && !self.scope(pair).any(|_| true) {
            let message = "No project is in scope: map at least one project, and include it.";
            blockers.push(blocker("no_project", message, "projects"));
        }
        blockers.extend(self.overlaps(kind, pair));
        if dry_run == DryRun::Needed {
            blockers.extend(self.unrehearsed(kind, pair));
        }
        blockers
    }

    /// The newest dry run, and whether it was made since the last change and of every flow.
    pub(super) fn dry_run(&self, kind: &PairDeclaration, pair: &Pair) -> Option<(Run, bool)> {
        let run = self.last_dry_run.clone()?;
        Some((run, self.unrehearsed(kind, pair).is_none()))
    }

    /// What would be written was not shown, or not as it would be now.
    fn unrehearsed(&self, kind: &PairDeclaration, pair: &Pair) -> Option<Blocker> {
        let left_out: Vec<&str> = kind
            .flows
            .iter()
            .filter(|flow| pair.flow(flow.name).enabled && !self.rehearsed.contains(flow.name))
            .map(|flow| flow.title)
            .collect();
        let why = match (left_out.is_empty(), &self.last_dry_run) {
            (true, _) => return None,
            (false, None) => "No dry run was made yet".to_owned(),
            (false, Some(_)) if self.rehearsed.is_empty() => {
                "No dry run was made since the last change".to_owned()
            }
            (false, Some(_)) => format!(
                "The dry run since the last change left out: {}",
                left_out.join(", ")
            ),
        };
        let message =
            format!("{why}. Make one, or activate without only if you know what will be written.");
        Some(blocker("no_dry_run", message, "dry_run"))
    }

    /// Projects in scope that another active pair moves money for.
    pub(super) fn overlaps(&self, kind: &PairDeclaration, pair: &Pair) -> Vec<Blocker> {
        if !moves_money(kind, pair) {
            return Vec::new();
        }
        self.scope(pair)
            .filter_map(|key| {
                let other = &self.taken.get(key)?.pair_name;
                let message = format!(
                    "Project {key} is in the active pair “{other}” already; money of one project moves by one pair."
                );
                Some(blocker("project_in_other_pair", message, key))
            })
            .collect()
    }

    /// What does not stop the pair, but some of its records.
    pub(super) fn warnings(&self, kind: &PairDeclaration, pair: &Pair) -> Vec<Blocker> {
        let mut warnings = Vec::new();
        if moves_money(kind, pair) {
            warnings.extend(self.unmapped_projects(pair));
            warnings.extend(self.empty_tables(kind));
        }
        for (table, standing) in &self.standing {
            if standing.faulty > 0 {
                let message = format!(
                    "{} of {} rows name something that {} does not accept.",
                    standing.faulty, standing.rows, kind.erp.title
                );
                warnings.push(blocker("faulty_rows", message, table.as_str()));
            }
        }
        warnings
    }

    /// Keys of the projects that are mapped and included.
    fn scope<'a>(&'a self, pair: &'a Pair) -> impl Iterator<Item = &'a str> {
        self.mapped
            .iter()
            .map(String::as_str)
            .filter(|key| pair.settings.projects.include(key))
    }

    fn environments_differ(&self, pair: &Pair) -> Option<Blocker> {
        let differ = self.erp.environment != self.project.environment;
        (differ && !may_mix(pair)).then(|| {
            let message = format!(
                "“{}” is {} and “{}” is {}; allow it in the pair's policies if that is meant.",
                self.project.name, self.project.environment, self.erp.name, self.erp.environment
            );
            blocker("environments_differ", message, "mixed_environments")
        })
    }

    fn unmapped_projects(&self, pair: &Pair) -> Option<Blocker> {
        let unmapped: Vec<&str> = self
            .known
            .iter()
            .filter(|project| project.active && pair.settings.projects.include(&project.key))
            .filter(|project| !self.mapped.contains(&project.key))
            .map(|project| project.name.as_str())
            .collect();
        if unmapped.is_empty() {
            return None;
        }
        let named = unmapped
            .iter()
            .take(NAMED_MAX)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        let more = match unmapped.len().saturating_sub(NAMED_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let message = format!("Not mapped, so nothing of them moves: {named}{more}.");
        Some(blocker("unmapped_projects", message, "projects"))
    }

    fn empty_tables(&self, kind: &PairDeclaration) -> Vec<Blocker> {
        let asked = [MappingKind::CostCodes, MappingKind::Items];
        kind.mappings
            .iter()
            .map(|columns| columns.kind)
            .filter(|table| asked.contains(table) && !self.standing.contains_key(table))
            .map(|table| {
                let message = "This table is empty: orders will wait for their codes to be mapped.";
                blocker("unmapped_codes", message, table.as_str())
            })
            .collect()
    }
}

/// Whether a sandbox may be joined with a production system.
pub(super) fn may_mix(pair: &Pair) -> bool {
    pair.settings.policies.is_on("mixed_environments")
}

fn blocker(code: &str, message: impl Into<String>, subject: &str) -> Blocker {
    Blocker {
        code: code.to_owned(),
        message: message.into(),
        subject: subject.to_owned(),
    }
}

fn untested(connection: &Connection) -> Option<Blocker> {
    let name = &connection.name;
    let message = match &connection.last_ping {
        Some(ping) if ping.ok => return None,
        Some(_) => {
            format!("The last test of “{name}” failed. Mend what it names and test it again.")
        }
        None => format!("“{name}” has not been tested since it was made or changed. Test it."),
    };
    let subject = connection.id.to_string();
    Some(blocker("connection_not_tested", message, &subject))
}

/// A flow carries money when its writes are approved unless somebody says otherwise.
fn carries_money(flow: &PairFlow) -> bool {
    flow.approval == Approval::Review
}

fn moves_money(kind: &PairDeclaration, pair: &Pair) -> bool {
    let mut flows = kind.flows.iter();
    flows.any(|flow| carries_money(flow) && pair.flow(flow.name).enabled)
}

fn mapped(tables: &Tables) -> BTreeSet<String> {
    tables
        .rows(MappingKind::Projects)
        .iter()
        .filter_map(|row| value(&row.project_side, "project_id"))
        .map(str::to_owned)
        .collect()
}

/// Projects of the other active pairs that read from the same place and move money.
async fn taken(
    engine: &Engine,
    scope: &Scope,
    pair: &Pair,
    project: &Connection,
) -> Result<BTreeMap<String, Taken>, StoreError> {
    let place = engine.place(project);
    let mut taken = BTreeMap::new();
    for other in others(scope, pair.id).await? {
        let Some(kind) = engine.pair_kind(&other.kind) else {
            continue;
        };
        let connection = store::connection::find(scope, other.project_connection_id).await?;
        if !moves_money(kind, &other) || engine.place(&connection) != place {
            continue;
        }
        let tables = store::mapping::tables(scope, other.id).await?;
        for key in mapped(&tables) {
            if other.settings.projects.include(&key) {
                let pair_name = other.settings.name.clone();
                taken.insert(key, Taken { pair_name });
            }
        }
    }
    Ok(taken)
}

async fn others(scope: &Scope, but: PairId) -> Result<Vec<Pair>, StoreError> {
    let mut active = store::pair::active(scope).await?;
    active.retain(|pair| pair.id != but && pair.status == PairStatus::Active);
    Ok(active)
}
