//! The parts of Procore that are asked, and what an administrator grants for each.
//!
//! Source: Procore developer managed service accounts, read 2026-11-22: an app's service account has a
//! permission per tool and a list of permitted projects, and both must be chosen again when the app is
//! updated or reinstalled.

/// A tool of Procore, as its permissions are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    /// The company itself and the log-in: no permission of its own.
    Company,
    Projects,
    Directory,
    Commitments,
    /// Cost codes, cost types and the WBS codes that join them.
    CostCodes,
    /// Sub jobs and tax codes: shown to whoever may see the project or the company.
    Reference,
}

impl Tool {
    /// What is read there, in the middle of a sentence.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Company => "the company",
            Self::Projects => "projects",
            Self::Directory => "the company directory with its vendors",
            Self::Commitments => "commitments",
            Self::CostCodes => "cost codes",
            Self::Reference => "sub jobs and tax codes",
        }
    }

    /// What an administrator does when it is refused.
    pub(super) fn remedy(self) -> &'static str {
        match self {
            Self::Company => {
                "Install the app in this company (Company Admin, App Management) and check the company id."
            }
            Self::Projects => {
                "An administrator adds the projects to the permitted projects of the app's service account \
                 (Company Admin, App Management); new projects and updates of the app need it again."
            }
            Self::Directory => {
                "An administrator gives the app's service account the permission Directory: Read Only or \
                 more, at company level."
            }
            Self::Commitments => {
                "An administrator gives the app's service account the permission Commitments: Read Only or \
                 more, and adds the project to its permitted projects."
            }
            Self::CostCodes => {
                "An administrator gives the app's service account the permission Admin: Read Only or more \
                 for the project, which shows cost codes, and adds the project to its permitted projects."
            }
            Self::Reference => {
                "An administrator gives the app's service account the permission Admin: Read Only or more, \
                 and adds the project to its permitted projects."
            }
        }
    }
}
