//! What the simulated company holds, with the time of the call that is being answered.

use std::collections::{BTreeMap, BTreeSet};

use time::{Duration, OffsetDateTime};

use super::ask::Fields;
use super::batch::Batches;
use super::order::{self, Orders};
use super::search::Search;
use super::settings::Settings;
use super::shape;
use super::supplier::{self, Supplier, Suppliers};
use crate::sandbox::kit::Random;

/// An item with the units it may be bought in.
pub(super) struct Item {
    pub fields: Fields,
    pub units: Vec<String>,
}

/// Division (blank = the whole company), dimension and identity.
pub(super) type AccountKey = (String, String, String);

pub(super) struct World {
    pub now: OffsetDateTime,
    pub settings: Settings,
    pub random: Random,
    pub suppliers: Suppliers,
    pub items: BTreeMap<String, Item>,
    pub accounts: BTreeMap<AccountKey, Fields>,
    /// The system table: kind and key of a code, e.g. `TEPY` and `30`.
    pub codes: BTreeMap<(String, String), Fields>,
    /// Projects with their elements.
    pub projects: BTreeMap<String, BTreeSet<String>>,
    /// By type and key.
    pub emails: BTreeMap<(String, String), String>,
    /// Custom fields by file and keys.
    pub extras: BTreeMap<Vec<String>, Fields>,
    pub batches: Batches,
    pub orders: Orders,
    pub supplier_search: Search,
    pub head_search: Search,
    pub line_search: Search,
}

impl World {
    pub(super) fn new(random_seed: u64) -> Self {
        Self {
            now: OffsetDateTime::UNIX_EPOCH,
            settings: Settings::new(),
            random: Random::new(random_seed),
            suppliers: Suppliers::default(),
            items: BTreeMap::new(),
            accounts: BTreeMap::new(),
            codes: BTreeMap::new(),
            projects: BTreeMap::new(),
            emails: BTreeMap::new(),
            extras: BTreeMap::new(),
            batches: Batches::default(),
            orders: Orders::default(),
            supplier_search: Search::over(&supplier::SEARCHED),
            head_search: Search::over(&order::HEAD_SEARCHED),
            line_search: Search::over(&order::LINE_SEARCHED),
        }
    }

    /// Lets everything happen that is due by now.
    pub(super) fn pass_to(&mut self, now: OffsetDateTime) {
        self.now = now;
        while let Some(number) = self.batches.due(now) {
            super::transfer::work_on(self, &number);
        }
        self.index();
    }

    /// The search index learns what its lag lets it know.
    pub(super) fn index(&mut self) {
        while let Some(number) = self.supplier_search.due(self.now) {
            let supplier = self.suppliers.get(&number);
            let value = |field: &str| supplier?.fields.get(field).cloned();
            self.supplier_search.learn(&number, value);
        }
        while let Some(number) = self.head_search.due(self.now) {
            let order = self.orders.get(&number);
            let value = |field: &str| order?.head.get(field).cloned();
            self.head_search.learn(&number, value);
        }
        while let Some(id) = self.line_search.due(self.now) {
            let (number, line) = id.split_once('/').unwrap_or((&id, ""));
            let order = self.orders.get(number);
            let line = order.and_then(|order| order.lines.get(&line.parse().ok()?));
            let value = |field: &str| line?.fields.get(field).cloned();
            self.line_search.learn(&id, value);
        }
    }

    /// Makes or changes a supplier.
    pub(super) fn change_supplier(&mut self, number: &str, change: impl FnOnce(&mut Supplier)) {
        let now = shape::milliseconds(self.now);
        self.suppliers.change(number, now, change);
        self.supplier_search.notice(number, self.known_at());
        self.index();
    }

    /// When the search index will know of what is written now.
    pub(super) fn known_at(&self) -> OffsetDateTime {
        self.now + Duration::seconds(self.settings.search_lag_seconds)
    }

    pub(super) fn has_code(&self, kind: &str, key: &str) -> bool {
        let key = (kind.to_owned(), key.to_owned());
        self.codes.contains_key(&key)
    }

    pub(super) fn account(&self, division: &str, dimension: &str, id: &str) -> Option<&Fields> {
        let key = (division.to_owned(), dimension.to_owned(), id.to_owned());
        self.accounts.get(&key)
    }
}
