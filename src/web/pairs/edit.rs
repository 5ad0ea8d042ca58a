//! Making a pair, and changing its settings.

use askama::Template;

use super::entry::{self, DAYS};
use super::show::approval_title;
use crate::desk::pair::{self, ChangedPair, NewPair};
use crate::domain::ids::{ConnectionId, PairId};
use crate::domain::pair::Approval;
use crate::domain::system::PairKind;
use crate::engine::catalog::{PairDeclaration, Policy, PolicyKind};
use crate::store;
use crate::web::id::Id;
use crate::web::names::Choice;
use crate::web::page::{self, Answer, Flash, Form, Shell, Visit};
use crate::web::problem::Problem;

/// More connections than one chooses from.
const CONNECTIONS_MAX: u32 = 200;

#[derive(Template)]
#[template(path = "pairs/edit.html")]
struct Edit {
    shell: Shell,
    form: Form,
    title: String,
    kind: String,
    is_new: bool,
    action: String,
    back: String,
    project_title: &'static str,
    erp_title: &'static str,
    project_choices: Vec<Choice>,
    erp_choices: Vec<Choice>,
    flows: Vec<FlowControls>,
    approvals: Vec<Choice>,
    projects: Vec<ProjectBox>,
    days: Vec<Day>,
    policies: Vec<PolicyControl>,
    policies_open: bool,
}

struct FlowControls {
    title: &'static str,
    master: &'static str,
    enabled: String,
    approval: String,
    statuses: String,
    has_statuses: bool,
    statuses_hint: String,
}

struct ProjectBox {
    key: String,
    label: String,
    checked: bool,
}

struct Day {
    word: &'static str,
    title: &'static str,
    checked: bool,
}

struct PolicyControl {
    name: String,
    label: &'static str,
    /// `select`, `checkbox`, `date`, `number`.
    kind: &'static str,
    choices: Vec<Choice>,
    hint: String,
    blank: String,
}

impl Edit {
    /// What a box holds: a stored `false` leaves it empty.
    fn on(&self, name: &str) -> &str {
        match self.form.value(name) {
            "false" => "",
            value => value,
        }
    }
}

/// `GET /pairs/new`: which kind, where there are several, then its form.
///
/// # Errors
/// `missing`, for a kind that nobody knows.
pub async fn new(visit: Visit) -> Answer {
    let kinds = visit.desk().engine.pairs;
    let kind = match (visit.query.given("kind"), kinds) {
        (None, [only]) => only,
        (None, _) => return choose(&visit),
        (Some(word), _) => kind(&visit, word)?,
    };
    let mut form = Form::from(entry::beginning(kind));
    for (name, system) in [
        ("project_connection_id", &kind.project.system),
        ("erp_connection_id", &kind.erp.system),
    ] {
        // The only one that fits is chosen already.
        if let [only] = connections(&visit, system).await?.as_slice() {
            form.fields.set(name, only.value.as_str());
        }
    }
    page::show(&drawn(&visit, kind, form, None).await?)
}

#[derive(Template)]
#[template(path = "pairs/choose.html")]
struct Choose {
    shell: Shell,
    kinds: Vec<Choice>,
}

fn choose(visit: &Visit) -> Answer {
    let kinds = visit.desk().engine.pairs.iter();
    page::show(&Choose {
        shell: visit.shell("pairs"),
        kinds: kinds
            .map(|kind| Choice::new(&kind.kind, kind.title))
            .collect(),
    })
}

fn kind(visit: &Visit, word: &str) -> Result<&'static PairDeclaration, Problem> {
    let kind = PairKind::from(word.to_owned());
    let found = visit.desk().engine.pair_kind(&kind);
    found.ok_or_else(|| Problem::missing("kind of pair"))
}

/// `POST /pairs`.
///
/// # Errors
/// As the desk's; fields are shown again.
pub async fn create(mut visit: Visit) -> Answer {
    let form = Form::from(std::mem::take(&mut visit.fields));
    let kind = kind(&visit, form.value("kind"))?;
    let new = NewPair {
        kind: kind.kind.to_string(),
        erp_connection_id: form.value("erp_connection_id").to_owned(),
        project_connection_id: form.value("project_connection_id").to_owned(),
        settings: entry::entered(kind, &form.fields),
    };
    match pair::create(visit.desk(), visit.caller(), new).await {
        Ok(shown) => {
            let flash = Flash::done(
                "The pair was made. Map its codes next; it moves nothing before it is activated.",
            );
            Ok(flash.go(&visit.site, format!("/pairs/{}", shown.pair.id)))
        }
        Err(error) => page::again(&drawn(&visit, kind, form.refused(error)?, None).await?),
    }
}

/// `GET /pairs/{id}/edit`.
///
/// # Errors
/// `missing`.
pub async fn edit(visit: Visit, id: Id<PairId>) -> Answer {
    let shown = pair::find(visit.desk(), visit.caller(), id.0).await?;
    let kind = kind(&visit, shown.pair.kind.as_str())?;
    let form = Form::from(entry::filled(kind, &shown.pair));
    page::show(
        &drawn(
            &visit,
            kind,
            form,
            Some((id.0, shown.pair.project_connection_id)),
        )
        .await?,
    )
}

/// `POST /pairs/{id}`.
///
/// # Errors
/// As the desk's; fields are shown again.
pub async fn change(mut visit: Visit, id: Id<PairId>) -> Answer {
    let form = Form::from(std::mem::take(&mut visit.fields));
    let before = pair::find(visit.desk(), visit.caller(), id.0).await?.pair;
    let kind = kind(&visit, before.kind.as_str())?;
    let wanted = ChangedPair {
        settings: entry::entered(kind, &form.fields),
        ..ChangedPair::default()
    };
    let to = format!("/pairs/{}", id.0);
    match pair::change(visit.desk(), visit.caller(), id.0, wanted).await {
        Ok(_) => Ok(Flash::done("Saved.").go(&visit.site, to)),
        Err(crate::desk::DeskError::Blocked(blockers)) => {
            let says: Vec<String> = blockers
                .into_iter()
                .map(|blocker| blocker.message)
                .collect();
            Ok(Flash::error(says.join(" ")).go(&visit.site, to))
        }
        Err(error) => {
            let of = Some((id.0, before.project_connection_id));
            page::again(&drawn(&visit, kind, form.refused(error)?, of).await?)
        }
    }
}

async fn drawn(
    visit: &Visit,
    kind: &'static PairDeclaration,
    form: Form,
    of: Option<(PairId, ConnectionId)>,
) -> Result<Edit, Problem> {
    let projects = match of {
        Some((_, connection)) => projects(visit, &form, connection).await?,
        None => Vec::new(),
    };
    let (title, action, back) = match of {
        Some((id, _)) => {
            let here = format!("/pairs/{id}");
            (
                format!("Settings of “{}”", form.value("name")),
                here.clone(),
                here,
            )
        }
        None => (
            "Join two systems".to_owned(),
            "/pairs".to_owned(),
            "/pairs".to_owned(),
        ),
    };
    Ok(Edit {
        shell: visit.shell("pairs"),
        title,
        action,
        back,
        kind: kind.kind.to_string(),
        is_new: of.is_none(),
        project_title: kind.project.title,
        erp_title: kind.erp.title,
        project_choices: connections(visit, &kind.project.system).await?,
        erp_choices: connections(visit, &kind.erp.system).await?,
        flows: kind.flows.iter().map(FlowControls::new).collect(),
        approvals: Approval::ALL
            .iter()
            .map(|approval| Choice::new(approval, approval_title(*approval)))
            .collect(),
        projects,
        days: DAYS
            .iter()
            .map(|(word, title)| Day {
                word,
                title,
                checked: form.has("day", word),
            })
            .collect(),
        policies: kind.policies.iter().map(PolicyControl::new).collect(),
        policies_open: form
            .errors()
            .iter()
            .any(|issue| issue.field.contains("policies")),
        form,
    })
}

async fn connections(
    visit: &Visit,
    system: &crate::domain::system::SystemId,
) -> Result<Vec<Choice>, Problem> {
    let (desk, caller) = (visit.desk(), visit.caller());
    let found = crate::desk::connection::list(desk, caller, None, CONNECTIONS_MAX).await?;
    let fitting = found.into_iter().filter(|one| one.system == *system);
    Ok(fitting.map(|one| Choice::new(one.id, one.name)).collect())
}

/// Projects that the connection was seen to have, ticked where they are chosen.
async fn projects(
    visit: &Visit,
    form: &Form,
    connection: ConnectionId,
) -> Result<Vec<ProjectBox>, Problem> {
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let known = store::known_project::list(&scope, connection).await?;
    let mut boxes: Vec<ProjectBox> = known
        .into_iter()
        .map(|project| ProjectBox {
            checked: form.has("project", &project.key),
            label: match (&project.number, project.active) {
                (Some(number), true) => format!("{number} {}", project.name),
                (None, true) => project.name,
                (_, false) => format!("{} (not active)", project.name),
            },
            key: project.key,
        })
        .collect();
    // Chosen ones that were never seen stay visible.
    for key in form.fields.all("project") {
        if !boxes.iter().any(|known| known.key == key) {
            boxes.push(ProjectBox {
                key: key.to_owned(),
                label: key.to_owned(),
                checked: true,
            });
        }
    }
    Ok(boxes)
}

impl FlowControls {
    fn new(flow: &crate::engine::catalog::PairFlow) -> Self {
        Self {
            title: flow.title,
            master: flow.master,
            enabled: format!("flows.{}.enabled", flow.name),
            approval: format!("flows.{}.approval", flow.name),
            statuses: format!("policies.statuses.{}", flow.name),
            has_statuses: !flow.statuses.is_empty(),
            statuses_hint: format!(
                "Only records in one of these leave, with commas between them. Left empty: {}.",
                flow.statuses.join(", ")
            ),
        }
    }
}

impl PolicyControl {
    fn new(policy: &Policy) -> Self {
        let (kind, choices) = match policy.kind {
            PolicyKind::YesNo => ("checkbox", Vec::new()),
            PolicyKind::Date => ("date", Vec::new()),
            PolicyKind::Number { .. } => ("number", Vec::new()),
            PolicyKind::Choice(words) => {
                let words = words.iter().filter(|word| !word.is_empty());
                (
                    "select",
                    words
                        .map(|word| Choice::new(word, word.replace('_', " ")))
                        .collect(),
                )
            }
        };
        Self {
            name: format!("policies.{}", policy.name),
            label: policy.label,
            kind,
            choices,
            hint: match (policy.default, policy.kind) {
                ("", _) | (_, PolicyKind::YesNo | PolicyKind::Choice(_)) => policy.hint.to_owned(),
                (default, _) => format!("{} Left empty: {default}.", policy.hint),
            },
            blank: match policy.default {
                "" => "Not set".to_owned(),
                default => format!("Default ({})", default.replace('_', " ")),
            },
        }
    }
}
