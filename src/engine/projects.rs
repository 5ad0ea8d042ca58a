//! Keeps the names of a connection's projects: for pages, for scope, and for what records show.

use std::time::Duration;

use serde_json::Value;

use super::{Engine, session};
use crate::contract::{Canonical, ListScope, Session};
use crate::domain::connection::Connection;
use crate::domain::fault::Fault;
use crate::domain::ids::TenantId;
use crate::domain::member::Actor;
use crate::domain::records::Project;
use crate::store::{self, StoreError};

/// Names are asked for again after this long.
const KEPT: Duration = Duration::from_secs(3600);
const ASKED: &str = "projects/asked";
/// A company with more pages than this has its later projects named by their ids.
const PAGES_MAX: usize = 200;

/// Reads the projects that a connection may see, unless that was done a short while ago. Gives whether
/// names were read. A system that lists no projects has none to name.
///
/// # Errors
/// The system's fault; names that are known already stay.
pub(super) async fn refresh(
    engine: &Engine,
    tenant: TenantId,
    connection: &Connection,
) -> Result<bool, Fault> {
    let session = session::open(engine, tenant, connection)?;
    let now = engine.clock.now();
    if session.facts.recall(ASKED, now, KEPT).is_some() {
        return Ok(false);
    }
    let projects = read_all(engine, connection, &session).await?;
    session.facts.remember(ASKED, now, Value::Bool(true));
    let id = connection.id;
    let kept = engine
        .store
        .write(tenant, &Actor::worker(), move |scope| {
            Box::pin(async move {
                store::known_project::upsert(scope, id, &projects).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await;
    if let Err(error) = kept {
        tracing::warn!(%error, connection = %id, "the projects' names were not kept");
        return Ok(false);
    }
    Ok(true)
}

async fn read_all(
    engine: &Engine,
    connection: &Connection,
    session: &Session,
) -> Result<Vec<Project>, Fault> {
    let connector = session::connector(engine, connection)?;
    let port = Project::port(&connector.ports);
    let (Some(lists), Some(reads)) = (port.lists, port.reads) else {
        return Ok(Vec::new());
    };
    let everything = ListScope {
        until: engine.clock.now(),
        ..ListScope::default()
    };
    let mut projects = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let page = lists
            .changed(session, &everything, after.as_deref())
            .await?;
        for seen in page.rows {
            if let Some(read) = reads.read(session, &seen.key).await? {
                projects.push(read.record);
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    Ok(projects)
}
