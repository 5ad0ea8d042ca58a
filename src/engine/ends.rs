//! A pair opened for work: its declaration, its two ends and its mapping tables, read once per slice.

use crate::contract::{Connector, ReadSession, Session};
use crate::domain::connection::Connection;
use crate::domain::ids::{PairId, TenantId};
use crate::domain::mapping::Tables;
use crate::domain::pair::{Pair, PairStatus};
use crate::flows::{PairDeclaration, PairFlow, SideName};
use crate::store::{self, Scope, StoreError};

use super::{Engine, clients, session};

/// One side of an opened pair.
pub struct End {
    pub connection: Connection,
    pub connector: &'static Connector,
    /// As people call the system.
    pub title: &'static str,
    /// The physical target.
    pub place: String,
}

/// An opened pair.
pub struct Ends {
    pub tenant: TenantId,
    pub pair: Pair,
    pub kind: &'static PairDeclaration,
    pub tables: Tables,
    pub project: End,
    pub erp: End,
    /// Names of projects by key.
    pub projects: std::collections::BTreeMap<String, String>,
}

impl Ends {
    /// Opens a pair; none while it stands still or when it was removed.
    ///
    /// # Errors
    /// `Missing` when the pair, one of its connections or a connector is not there.
    pub async fn open(
        engine: &Engine,
        tenant: TenantId,
        id: PairId,
    ) -> Result<Option<Self>, StoreError> {
        let scope = engine.store.read(tenant).await?;
        let pair = store::pair::find_kept(&scope, id).await?;
        if pair.status != PairStatus::Active {
            return Ok(None);
        }
        let ends = Self::of(engine, tenant, &scope, pair).await?;
        drop(scope);
        Ok(Some(ends.with_clients(engine).await))
    }

    /// Opens a pair for a dry run, whether it is active or stands still.
    ///
    /// # Errors
    /// Those of [`Ends::open`]; `Missing` for a pair that was removed.
    pub async fn to_look(
        engine: &Engine,
        tenant: TenantId,
        id: PairId,
    ) -> Result<Self, StoreError> {
        let scope = engine.store.read(tenant).await?;
        let pair = store::pair::find(&scope, id).await?;
        let ends = Self::of(engine, tenant, &scope, pair).await?;
        drop(scope);
        Ok(ends.with_clients(engine).await)
    }

    /// With it known whose rate limits its calls count against.
    async fn with_clients(self, engine: &Engine) -> Self {
        for end in [&self.project, &self.erp] {
            clients::learn(engine, self.tenant, &end.connection).await;
        }
        self
    }

    async fn of(
        engine: &Engine,
        tenant: TenantId,
        scope: &Scope,
        pair: Pair,
    ) -> Result<Self, StoreError> {
        let id = pair.id;
        let kind = engine
            .pair_kind(&pair.kind)
            .ok_or(StoreError::Missing("kind of pair"))?;
        let tables = store::mapping::tables(scope, id).await?;
        let project = store::connection::find(scope, pair.project_connection_id).await?;
        let erp = store::connection::find(scope, pair.erp_connection_id).await?;
        let projects = store::known_project::list(scope, project.id)
            .await?
            .into_iter()
            .map(|project| (project.key, project.name))
            .collect();
        Ok(Self {
            tenant,
            kind,
            tables,
            project: end(engine, project, kind.project.title)?,
            erp: end(engine, erp, kind.erp.title)?,
            pair,
            projects,
        })
    }

    /// Where a flow's records come from.
    #[must_use]
    pub fn source(&self, flow: &PairFlow) -> &End {
        match flow.from {
            SideName::Project => &self.project,
            SideName::Erp => &self.erp,
        }
    }

    /// Where a flow's records go.
    #[must_use]
    pub fn target(&self, flow: &PairFlow) -> &End {
        match flow.from {
            SideName::Project => &self.erp,
            SideName::Erp => &self.project,
        }
    }

    /// A session of an end, for one piece of work.
    ///
    /// # Errors
    /// `Missing` when the product does not know the system.
    pub fn session(&self, engine: &Engine, end: &End) -> Result<Session, StoreError> {
        session::open(engine, self.tenant, &end.connection)
            .map_err(|_| StoreError::Missing("connector"))
    }

    /// A session of an end that can only look.
    ///
    /// # Errors
    /// `Missing` when the product does not know the system.
    pub fn reading(&self, engine: &Engine, end: &End) -> Result<ReadSession, StoreError> {
        session::open_to_look(engine, self.tenant, &end.connection)
            .map_err(|_| StoreError::Missing("connector"))
    }

    /// Statuses that may leave in a flow.
    #[must_use]
    pub fn statuses(&self, flow: &PairFlow) -> Vec<String> {
        match self.pair.settings.policies.statuses.get(flow.name) {
            Some(chosen) => chosen.clone(),
            None => flow.statuses.iter().map(|&word| word.to_owned()).collect(),
        }
    }

    /// A policy's value, or its default.
    #[must_use]
    pub fn policy(&self, name: &str) -> &str {
        self.pair
            .settings
            .policies
            .rule(name, self.kind.policy_default(name))
    }
}

fn end(engine: &Engine, connection: Connection, title: &'static str) -> Result<End, StoreError> {
    let connector = engine
        .connector(&connection.system)
        .ok_or(StoreError::Missing("connector"))?;
    let place = (connector.place)(&connection.settings, connection.environment);
    Ok(End {
        connection,
        connector,
        title,
        place,
    })
}
