//! What is wrong with the settings, said so that it can be mended.

use std::fmt;

/// One thing that is wrong with one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The variable's name, whichever way the value came in.
    pub variable: String,
    /// What is wrong and what to do. Never holds a secret.
    pub says: String,
}

/// Everything that is wrong; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these settings do not work:")?;
        for problem in &self.0 {
            write!(f, "\n  {}: {}", problem.variable, problem.says)?;
        }
        Ok(())
    }
}
