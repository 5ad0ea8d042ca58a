//! What a line's cost is for, and the codes that a project has for it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;

/// The code of a line: sub job, cost code and cost type together are the key.
///
/// Leading zeros, dots, dashes and blanks inside count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Coding {
    pub cost_code: String,
    /// Code of the cost type; empty when the line has none.
    pub cost_type: String,
    /// Code of the sub job; empty when the line has none.
    pub sub_job: String,
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.sub_job.is_empty() {
            write!(f, "{} / ", self.sub_job)?;
        }
        f.write_str(&self.cost_code)?;
        if !self.cost_type.is_empty() {
            write!(f, " / {}", self.cost_type)?;
        }
        Ok(())
    }
}

/// One code of one project: what its lines may be coded with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostCode {
    /// The bare key in its own system.
    pub key: String,
    pub project_key: String,
    pub coding: Coding,
    /// What people call it.
    pub name: String,
    /// False: no new lines should use it.
    pub active: bool,
    pub created_at: Option<Timestamp>,
}
