//! The parts of Procore that are asked, and what an administrator grants for each.
//!
//! Source: Procore developer managed service accounts, read 2026-11-22: an app's service account has a
//! permission per tool and a list of permitted projects, and both must be chosen again when the app is
//! updated or reinstalled. Assumed: the tools' names, and that cost codes belong to the tool Admin.

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
    /// The budget of a project.
    Budget,
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
            Self::Budget => "the budget",
            Self::Reference => "sub jobs and tax codes",
        }
    }

    /// What an administrator does when it is refused.
    pub(super) fn remedy(self) -> &'static str {
        match self {
            Self::Company => {
                "An administrator installs the app in this company; then check the company id."
            }
            Self::Projects => {
                "An administrator adds the projects to the permitted projects of the app's service account; \
                 new projects and every update of the app need it again."
            }
            Self::Directory => {
                "An administrator lets the app's service account read the tool Directory of the company."
            }
            Self::Commitments => {
                "An administrator lets the app's service account read the tool Commitments, and adds the \
                 project to its permitted projects."
            }
            Self::CostCodes => {
                "An administrator lets the app's service account read the tool Admin of the project, which \
                 holds its cost codes, and adds the project to its permitted projects."
            }
            Self::Budget => {
                "An administrator lets the app's service account read the tool Budget of the project, and adds the \
                 project to its permitted projects."
            }
            Self::Reference => {
                "An administrator lets the app's service account read the tool Admin of the company and the \
                 project."
            }
        }
    }
}
