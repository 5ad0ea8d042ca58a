//! How pairs, flows and systems are called on pages.

use super::page::Visit;
use crate::domain::ids::PairId;
use crate::domain::pair::Pair;
use crate::domain::system::SystemId;
use crate::engine::Engine;
use crate::engine::catalog::PairDeclaration;
use crate::store::{self, StoreError};

/// More pairs than one tenant names on a page.
const PAIRS_MAX: u32 = 500;

/// A choice of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
}

impl Choice {
    #[must_use]
    pub fn new(value: impl ToString, label: impl ToString) -> Self {
        Self {
            value: value.to_string(),
            label: label.to_string(),
        }
    }
}

/// What a tenant's pairs are called, and what is in them.
pub struct Names {
    engine: Engine,
    pub pairs: Vec<Pair>,
}

impl Names {
    /// # Errors
    /// `Database`.
    pub async fn load(visit: &Visit) -> Result<Self, StoreError> {
        let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
        let pairs = store::pair::list(&scope, None, PAIRS_MAX).await?;
        Ok(Self {
            engine: visit.desk().engine.clone(),
            pairs,
        })
    }

    #[must_use]
    pub fn pair(&self, id: PairId) -> String {
        let found = self.pairs.iter().find(|pair| pair.id == id);
        found.map_or_else(
            || "a removed pair".to_owned(),
            |pair| pair.settings.name.clone(),
        )
    }

    /// A flow as its pair's kind calls it.
    #[must_use]
    pub fn flow(&self, name: &str) -> String {
        flow_title(&self.engine, name)
    }

    #[must_use]
    pub fn system(&self, system: &SystemId) -> String {
        system_title(&self.engine, system)
    }

    #[must_use]
    pub fn pair_choices(&self) -> Vec<Choice> {
        let pairs = self.pairs.iter();
        pairs
            .map(|pair| Choice::new(pair.id, &pair.settings.name))
            .collect()
    }

    /// Every flow of every kind of pair that the tenant has.
    #[must_use]
    pub fn flow_choices(&self) -> Vec<Choice> {
        let mut choices: Vec<Choice> = Vec::new();
        for kind in self.kinds() {
            for flow in kind.flows {
                if !choices.iter().any(|choice| choice.value == flow.name) {
                    choices.push(Choice::new(flow.name, flow.title));
                }
            }
        }
        choices
    }

    fn kinds(&self) -> impl Iterator<Item = &'static PairDeclaration> {
        let mut kinds: Vec<&'static PairDeclaration> = Vec::new();
        for pair in &self.pairs {
            if let Some(kind) = self.engine.pair_kind(&pair.kind)
                && !kinds.iter().any(|known| known.kind == kind.kind)
            {
                kinds.push(kind);
            }
        }
        kinds.into_iter()
    }
}

/// A flow as pages call it.
#[must_use]
pub fn flow_title(engine: &Engine, name: &str) -> String {
    let mut kinds = engine.pairs.iter();
    let found = kinds.find_map(|kind| kind.flow(name));
    found.map_or_else(|| name.to_owned(), |flow| flow.title.to_owned())
}

/// A system as pages call it.
#[must_use]
pub fn system_title(engine: &Engine, system: &SystemId) -> String {
    let sides = engine
        .pairs
        .iter()
        .flat_map(|kind| [&kind.project, &kind.erp]);
    let mut known = sides.filter(|side| side.system == *system);
    match (known.next(), engine.system(system)) {
        (Some(side), _) => side.title.to_owned(),
        (None, Some(form)) => form.title.to_owned(),
        (None, None) => system.to_string(),
    }
}
