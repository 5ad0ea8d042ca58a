//! The demo's company: both systems connected and tested, most codes mapped, the pair active.

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};

use crate::app::sandboxes::Sandboxes;
use crate::desk::connection::{self, ChangedConnection, NewConnection};
use crate::desk::pair::{self, NewPair};
use crate::desk::{Desk, DeskError, DryRun, EnteredSettings, mapping};
use crate::domain::connection::Connection;
use crate::domain::ids::{ConnectionId, PairId};
use crate::domain::mapping::{MappingKind, Row};
use crate::domain::member::Caller;
use crate::sandbox::{infor_m3, procore};

/// As fast as the vendor ever allows.
const CALLS_PER_MINUTE: &str = "3000";

/// Sets everything up and activates the pair.
pub(super) async fn set_up(
    desk: &Desk,
    caller: &Caller,
    sandboxes: &Sandboxes,
) -> anyhow::Result<PairId> {
    let project = connect(desk, caller, projects_of(sandboxes)).await?;
    let erp = connect(desk, caller, books_of(sandboxes)).await?;
    let pair = make_pair(desk, caller, project, erp)
        .await
        .map_err(|error| in_words("the pair", &error))?;
    for (kind, rows) in tables() {
        mapping::replace(desk, caller, (pair, kind), rows)
            .await
            .map_err(|error| in_words("a mapping table", &error))?;
    }
    pair::activate(desk, caller, pair, DryRun::Waived)
        .await
        .map_err(|error| in_words("the activation", &error))?;
    Ok(pair)
}

/// The simulators start anew at each start, elsewhere: the kept connections follow them.
pub(super) async fn reconnect(
    desk: &Desk,
    caller: &Caller,
    sandboxes: &Sandboxes,
) -> anyhow::Result<PairId> {
    let wanted = [projects_of(sandboxes), books_of(sandboxes)];
    for connection in connection::list(desk, caller, None, 200).await? {
        let Some(new) = wanted
            .iter()
            .find(|new| new.system == connection.system.as_str())
        else {
            continue;
        };
        let changed = ChangedConnection {
            settings: new.settings.clone(),
            credentials: new.credentials.clone(),
            ..ChangedConnection::default()
        };
        let changed = connection::change(desk, caller, connection.id, changed)
            .await
            .map_err(|error| in_words("a connection", &error))?;
        test(desk, caller, &changed).await?;
    }
    let pairs = pair::list(desk, caller, None, 1).await?;
    let first = pairs.first().context("the kept demo has no pair")?;
    Ok(first.pair.id)
}

async fn connect(desk: &Desk, caller: &Caller, new: NewConnection) -> anyhow::Result<ConnectionId> {
    let made = connection::create(desk, caller, new)
        .await
        .map_err(|error| in_words("a connection", &error))?;
    test(desk, caller, &made).await?;
    Ok(made.id)
}

async fn test(desk: &Desk, caller: &Caller, connection: &Connection) -> anyhow::Result<()> {
    let ping = connection::ping(desk, caller, connection.id).await?;
    match ping.steps.iter().find(|step| !step.ok) {
        None => Ok(()),
        Some(step) => bail!(
            "{} is not well: {}: {}",
            connection.name,
            step.name,
            step.detail
        ),
    }
}

fn projects_of(sandboxes: &Sandboxes) -> NewConnection {
    let url = sandboxes.procore.url();
    NewConnection {
        system: "procore".to_owned(),
        name: "Procore (simulated)".to_owned(),
        environment: "sandbox".to_owned(),
        settings: values(json!({
            "company_id": procore::COMPANY_ID.to_string(),
            "api_base_url": url,
            "login_base_url": url,
        })),
        credentials: values(json!({
            "client_id": procore::CLIENT_ID,
            "client_secret": procore::CLIENT_SECRET,
        })),
    }
}

fn books_of(sandboxes: &Sandboxes) -> NewConnection {
    NewConnection {
        system: "infor_m3".to_owned(),
        name: "Infor M3 (simulated)".to_owned(),
        environment: "sandbox".to_owned(),
        settings: values(json!({
            "cono": infor_m3::CONO,
            "divi": infor_m3::DIVI,
            "facility": infor_m3::FACILITY,
            "warehouse": infor_m3::WAREHOUSE,
            "buyer": infor_m3::BUYER,
            "purchaser": infor_m3::USER,
            "responsible": infor_m3::USER,
            "order_type": infor_m3::ORDER_TYPE,
            "subcontract_order_type": infor_m3::SUBCONTRACT_ORDER_TYPE,
            "batch_origin": infor_m3::BATCH_ORIGIN,
            "supplier_template": infor_m3::SUPPLIER_TEMPLATE,
            "requests_per_minute": CALLS_PER_MINUTE,
        })),
        credentials: values(json!({"ionapi": infor_m3::ionapi(&sandboxes.infor.url())})),
    }
}

async fn make_pair(
    desk: &Desk,
    caller: &Caller,
    project: ConnectionId,
    erp: ConnectionId,
) -> Result<PairId, DeskError> {
    let new = NewPair {
        kind: "infor_m3_procore".to_owned(),
        erp_connection_id: erp.to_string(),
        project_connection_id: project.to_string(),
        settings: EnteredSettings {
            name: Some(json!("Front Range: Procore to M3")),
            flows: Some(json!({
                "vendors": {"enabled": true, "approval": "automatic"},
                "cost_codes": {"enabled": true, "approval": "automatic"},
                "commitments": {"enabled": true, "approval": "review"},
            })),
            schedule: Some(json!({"every_minutes": 5, "time_zone": "America/Denver"})),
            ..EnteredSettings::default()
        },
    };
    Ok(pair::create(desk, caller, new).await?.pair.id)
}

/// Every code that M3 has; the one that it lacks is left for a person to map.
fn tables() -> Vec<(MappingKind, Vec<Row>)> {
    let projects = infor_m3::projects().map(|project| {
        row(
            &[("project_id", project.procore_id.to_string())],
            &[
                ("project", project.project.to_string()),
                ("facility", project.facility.to_string()),
                ("warehouse", project.warehouse.to_string()),
            ],
        )
    });
    let codes = infor_m3::codes().into_iter().map(|code| {
        row(
            &[
                ("cost_code", code.cost_code.to_string()),
                ("cost_type", code.cost_type.to_string()),
            ],
            &[
                ("ait1", code.account.clone()),
                ("ait2", code.cost_center.to_string()),
                ("element", code.element.clone()),
            ],
        )
    });
    let items = infor_m3::items().map(|(cost_type, item, _)| {
        row(
            &[("cost_type", cost_type.to_owned())],
            &[("item", item.to_owned())],
        )
    });
    vec![
        (MappingKind::Projects, projects.collect()),
        (MappingKind::CostCodes, codes.collect()),
        (MappingKind::Items, items.collect()),
    ]
}

fn row(project_side: &[(&str, String)], erp_side: &[(&str, String)]) -> Row {
    let side = |cells: &[(&str, String)]| {
        cells
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect()
    };
    Row {
        id: None,
        project_side: side(project_side),
        erp_side: side(erp_side),
        note: String::new(),
    }
}

fn values(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn in_words(what: &str, error: &DeskError) -> anyhow::Error {
    let issues = match error {
        DeskError::Invalid(issues) => issues.iter().map(ToString::to_string).collect(),
        DeskError::Blocked(blockers) => blockers.iter().map(|b| b.message.clone()).collect(),
        other => vec![other.to_string()],
    };
    anyhow::anyhow!("{what} was refused: {}", issues.join("; "))
}
