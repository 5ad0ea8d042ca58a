//! A project: where money is spent.

use serde::{Deserialize, Serialize};

/// One construction project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    pub key: String,
    pub number: Option<String>,
    pub name: String,
    pub active: bool,
}
