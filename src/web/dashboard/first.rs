//! The first way through the product, shown until something runs.

use crate::desk::pair::Shown;
use crate::domain::mapping::MappingKind;
use crate::store;
use crate::web::page::Visit;
use crate::web::problem::Problem;

/// More connections than the first way needs.
const CONNECTIONS_MAX: u32 = 100;

/// One thing to do.
pub struct Step {
    pub title: &'static str,
    pub says: &'static str,
    pub state: &'static str,
    pub href: String,
    pub label: &'static str,
    /// The one to do next.
    pub is_next: bool,
}

/// Everything up to the first run, with what is done already.
///
/// # Errors
/// As the store's.
pub async fn steps(visit: &Visit, pairs: &[Shown]) -> Result<Vec<Step>, Problem> {
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let connections = store::connection::list(&scope, None, CONNECTIONS_MAX).await?;
    let pair = pairs.first().map(|shown| shown.pair.id);
    let is_mapped = match pair {
        Some(pair) => {
            let standing = store::mapping::standing(&scope, pair).await?;
            standing.contains_key(&MappingKind::Projects)
        }
        None => false,
    };
    drop(scope);
    let is_tested = |id| {
        let of = connections.iter().find(|connection| connection.id == id);
        of.is_some_and(|one| one.last_ping.as_ref().is_some_and(|ping| ping.ok))
    };
    let systems: std::collections::BTreeSet<&str> =
        connections.iter().map(|one| one.system.as_str()).collect();
    let tested = connections.iter().filter(|one| is_tested(one.id)).count();
    let pair_page = |rest: &str| match pair {
        Some(pair) => format!("/pairs/{pair}{rest}"),
        None => "/pairs".to_owned(),
    };
    let done = [
        systems.len() >= 2,
        tested >= 2,
        pair.is_some(),
        is_mapped,
        false,
    ];
    let next = done.iter().position(|done| !done);
    let todo = [
        (
            "Connect both systems",
            "Store their credentials; they are sealed and never shown again.",
            "/connections".to_owned(),
            "Connections",
        ),
        (
            "Test each connection",
            "Step by step: address, log-in, rights, a sample. A test writes nothing.",
            "/connections".to_owned(),
            "Connections",
        ),
        (
            "Join them in a pair",
            "Which records move, which way, and who says yes to money.",
            "/pairs".to_owned(),
            "Pairs",
        ),
        (
            "Map projects and codes",
            "Orders wait for a code that is not mapped, and go on by themselves once it is.",
            pair_page("/mappings/projects"),
            "Mappings",
        ),
        (
            "Activate",
            "Nothing moves before this. The first run begins at once.",
            pair_page(""),
            "The pair",
        ),
    ];
    let steps = todo.into_iter().zip(done).enumerate();
    Ok(steps
        .map(|(at, ((title, says, href, label), done))| Step {
            title,
            says,
            state: if done { "ok" } else { "not_run" },
            href,
            label,
            is_next: next == Some(at),
        })
        .collect())
}
