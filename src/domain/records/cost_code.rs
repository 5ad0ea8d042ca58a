//! What a line's cost is for.

use std::fmt;

use serde::{Deserialize, Serialize};

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
