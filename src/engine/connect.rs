//! Tests a connection step by step, while a person waits: the one call to a vendor that a page makes.

use std::time::{Duration, Instant};

use super::accept::origins;
use super::{Engine, EngineError, clients, projects, session};
use crate::contract::{Connector, Probe, Reached, Session};
use crate::domain::audit::Happened;
use crate::domain::connection::{Connection, Ping, PingStep};
use crate::domain::fault::Fault;
use crate::domain::ids::{ConnectionId, TenantId};
use crate::domain::member::Actor;
use crate::domain::pair::Pair;
use crate::store::{StoreError, connection, mapping, pair, record};
use futures::future::join_all;

/// A whole test is over by then: people and their tools give up after half a minute.
const DEADLINE: Duration = Duration::from_secs(28);

/// Tests a connection and keeps the result with it. A good test also ends the pause after refused log-ins.
///
/// # Errors
/// `Missing` when there is no such connection; those of the store. What is wrong with the connection is
/// no error but a step.
pub async fn ping(
    engine: &Engine,
    tenant: TenantId,
    actor: &Actor,
    id: ConnectionId,
) -> Result<Ping, EngineError> {
    let (connection, pairs) = {
        let scope = engine.store.read(tenant).await?;
        let connection = connection::find(&scope, id).await?;
        (connection, pair::of_connection(&scope, id).await?)
    };
    let steps = steps(engine, tenant, &connection, &pairs).await;
    let ping = Ping {
        ok: steps.iter().all(|step| step.ok),
        at: engine.clock.now(),
        steps,
    };
    keep(engine, tenant, actor, connection.clone(), ping.clone()).await?;
    if ping.ok {
        engine.slow.forget(connection.id);
    }
    if ping.ok
        && let Err(fault) = projects::refresh(engine, tenant, &connection).await
    {
        tracing::info!(%fault, connection = %connection.id, "the projects' names were not read");
    }
    Ok(ping)
}

async fn keep(
    engine: &Engine,
    tenant: TenantId,
    actor: &Actor,
    connection: Connection,
    ping: Ping,
) -> Result<(), EngineError> {
    engine
        .store
        .write(tenant, actor, move |scope| {
            Box::pin(async move {
                let failed = ping.steps.iter().find(|step| !step.ok);
                scope.tell(
                    Happened::new("connection.tested", "connection", connection.id)
                        .with("ok", ping.ok)
                        .with("failed_step", failed.map_or("", |step| step.name.as_str())),
                );
                if connection::set_ping(scope, &connection, &ping).await? && ping.ok {
                    connection::set_auth_fault(scope, &connection, None).await?;
                    record::due_after_login(scope, connection.id).await?;
                    mapping::unverify_faulty(scope, connection.id).await?;
                    scope.wake(scope.now());
                }
                Ok::<_, StoreError>(())
            })
        })
        .await?;
    Ok(())
}

/// Every step that was taken; the first one that fails is the last where the next would need it.
async fn steps(
    engine: &Engine,
    tenant: TenantId,
    connection: &Connection,
    pairs: &[Pair],
) -> Vec<PingStep> {
    let started = Instant::now();
    clients::learn(engine, tenant, connection).await;
    let opened = session::connector(engine, connection).and_then(|connector| {
        Ok((
            connector,
            session::open_for_person(engine, tenant, connection)?,
        ))
    });
    let (connector, session) = match opened {
        Ok(opened) => opened,
        Err(fault) => return vec![failed("address", started, &fault)],
    };
    // Whoever tests wants to know how it is now.
    session.facts.forget();
    let mut steps = Vec::new();
    let within = tokio::time::timeout(
        DEADLINE,
        take_steps(
            engine,
            (connector, &session),
            (connection, pairs),
            &mut steps,
        ),
    );
    if within.await.is_err() {
        let name = match steps.len() {
            0 => "address",
            1 | 2 => "token",
            _ => "sample_read",
        };
        steps.push(PingStep::badly(
            name,
            millis(started.elapsed()),
            format!("no end after {} seconds", DEADLINE.as_secs()),
            "The system answers too slowly to be tested; try again when it is less busy.",
        ));
    }
    steps
}

async fn take_steps(
    engine: &Engine,
    (connector, session): (&Connector, &Session),
    (connection, pairs): (&Connection, &[Pair]),
    steps: &mut Vec<PingStep>,
) {
    let addresses = origins(&(connector.addresses)(
        &connection.settings,
        connection.environment,
    ));
    let reached = join_all(
        addresses
            .iter()
            .map(|address| engine.network.reach(address)),
    )
    .await;
    steps.extend(address_and_tls(&addresses, &reached));
    if steps.iter().any(|step| !step.ok) {
        return;
    }
    let started = Instant::now();
    match session.tokens.current().await {
        Ok(token) => steps.push(PingStep::well(
            "token",
            millis(started.elapsed()),
            format!(
                "the log-in works; the token is used until {}",
                token.expires_at.whole_seconds()
            ),
        )),
        Err(fault) => return steps.push(failed("token", started, &fault)),
    }
    let flows = flows(engine, connection, pairs);
    let started = Instant::now();
    match connector
        .probes
        .probe(session, Probe { flows: &flows })
        .await
    {
        Ok(found) => steps.extend(found),
        Err(fault) => steps.push(failed("company", started, &fault)),
    }
}

/// Flows that pairs have switched on for this connection; before there is a pair, all that it could serve.
fn flows<'a>(engine: &Engine, connection: &Connection, pairs: &'a [Pair]) -> Vec<&'a str> {
    let mut flows: Vec<&str> = if pairs.is_empty() {
        let kinds = engine.pairs.iter().filter(|kind| {
            kind.project.system == connection.system || kind.erp.system == connection.system
        });
        kinds
            .flat_map(|kind| kind.flows.iter().map(|flow| flow.name))
            .collect()
    } else {
        let switched = pairs.iter().flat_map(|pair| &pair.settings.flows);
        switched
            .filter(|(_, setting)| setting.enabled)
            .map(|(name, _)| name.as_str())
            .collect()
    };
    flows.sort_unstable();
    flows.dedup();
    flows
}

/// The steps `address` and, once every host was reached, `tls`.
fn address_and_tls(addresses: &[String], reached: &[Result<Reached, Fault>]) -> Vec<PingStep> {
    let ms = |time: fn(&Reached) -> Option<Duration>| {
        let times = reached.iter().flatten().filter_map(time);
        millis(times.max().unwrap_or_default())
    };
    let failure = |is_tls: bool| {
        let mut faults = reached.iter().filter_map(|result| result.as_ref().err());
        faults.find(|fault| (fault.code() == "tls") == is_tls)
    };
    let hosts = addresses
        .iter()
        .map(|address| {
            address
                .split_once("://")
                .map_or(address.as_str(), |(_, host)| host)
        })
        .collect::<Vec<_>>()
        .join(" and ");
    let connected = ms(|reached| Some(reached.connected_in));
    if let Some(fault) = failure(false) {
        return vec![PingStep::badly(
            "address",
            connected,
            fault.to_string(),
            hint(fault),
        )];
    }
    if addresses.is_empty() {
        return vec![PingStep::badly(
            "address",
            0,
            "no address is known",
            "Open the connection and enter the address of the system.",
        )];
    }
    let address = PingStep::well("address", connected, format!("{hosts} can be reached"));
    let secured = ms(|reached| reached.secured_in);
    let tls = match failure(true) {
        Some(fault) => PingStep::badly(
            "tls",
            secured,
            fault.to_string(),
            "The certificate must be valid for this host; ask whoever runs the system.",
        ),
        None if reached
            .iter()
            .flatten()
            .all(|host| host.secured_in.is_some()) =>
        {
            PingStep::well("tls", secured, "the certificate is valid")
        }
        None => PingStep::well(
            "tls",
            secured,
            "plain http, which whoever runs this service allows for this address: nothing is encrypted",
        ),
    };
    vec![address, tls]
}

fn failed(name: &str, started: Instant, fault: &Fault) -> PingStep {
    PingStep::badly(
        name,
        millis(started.elapsed()),
        fault.to_string(),
        hint(fault),
    )
}

/// What a person can do about it.
fn hint(fault: &Fault) -> &'static str {
    match fault {
        Fault::Transient { code, .. } if code == "dns" => {
            "Check the spelling of the address: no such host is known."
        }
        Fault::Transient { .. } => {
            "Try again in a few minutes. If it stays so, ask whoever runs the system whether it is up and can be reached from here."
        }
        Fault::RateLimited { .. } => {
            "The system takes no more calls for the moment; try again in a few minutes."
        }
        Fault::Auth { .. } => {
            "Enter the credentials again. Check that they belong to this environment, and with the system's administrator that they are active and have the rights that are needed."
        }
        Fault::Rejected { .. } => "Open the connection and correct the setting that is named.",
        Fault::Missing { .. } => {
            "Check the ids in the settings: what they name does not exist, or these credentials may not see it."
        }
        Fault::Conflict { .. } | Fault::Ambiguous { .. } | Fault::Broken { .. } => {
            "The system answered in a way that is not understood here. Check that the address is the one of its API; if it is, tell us."
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::fault::Issue;

    fn reached(secured: bool) -> Result<Reached, Fault> {
        Ok(Reached {
            connected_in: Duration::from_millis(12),
            secured_in: secured.then(|| Duration::from_millis(30)),
        })
    }

    fn trouble(code: &str) -> Result<Reached, Fault> {
        Err(Fault::Transient {
            code: code.to_owned(),
            message: "no".to_owned(),
        })
    }

    #[test]
    fn every_host_must_be_reached_and_secured() {
        let refused = Err(Fault::Rejected {
            issues: vec![Issue::new("", "address_refused", "not allowed")],
        });
        for (case, results, want) in [
            ("both", vec![reached(true), reached(true)], "address+ tls+"),
            (
                "plain",
                vec![reached(false), reached(false)],
                "address+ tls+",
            ),
            ("no name", vec![reached(true), trouble("dns")], "address-"),
            (
                "shut",
                vec![trouble("unreachable"), reached(true)],
                "address-",
            ),
            (
                "bad certificate",
                vec![reached(true), trouble("tls")],
                "address+ tls-",
            ),
            (
                "shut and bad",
                vec![trouble("tls"), trouble("dns")],
                "address-",
            ),
            ("refused", vec![reached(true), refused], "address-"),
        ] {
            let addresses = [
                "https://a.example".to_owned(),
                "https://b.example".to_owned(),
            ];
            let steps = address_and_tls(&addresses, &results);
            let said: Vec<String> = steps
                .iter()
                .map(|step| format!("{}{}", step.name, if step.ok { "+" } else { "-" }))
                .collect();
            assert_eq!(said.join(" "), want, "{case}");
            assert!(
                steps.iter().all(|step| step.ok == step.hint.is_none()),
                "{case}"
            );
        }
    }
}
