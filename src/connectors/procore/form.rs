//! What a Procore connection asks for.
//!
//! Source: Procore "Development environments" and "Federal zone", read 2026-11-22, for the hosts.
//! Assumed: where Procore's own pages show the company's number and the app's credentials.

use crate::domain::form::{ConnectionForm, Field, Kind};

pub(super) const FORM: ConnectionForm = ConnectionForm {
    settings: &SETTINGS,
    credentials: &CREDENTIALS,
};

const fn optional([name, label, default, hint]: [&'static str; 4], kind: Kind) -> Field {
    Field {
        name,
        label,
        kind,
        required: false,
        default,
        hint,
    }
}

const SETTINGS: [Field; 6] = [
    Field {
        name: "company_id",
        label: "Company id",
        kind: Kind::Text,
        required: true,
        default: "",
        hint: "The company's number, digits alone. It stands in the address bar while one of Procore's company pages is open.",
    },
    optional(
        [
            "api_base_url",
            "API address",
            "",
            "Left empty: https://api.procore.com, or https://sandbox.procore.com for a developer sandbox. \
             Monthly sandboxes use https://api-monthly.procore.com, the federal zone https://api.procoregov.com.",
        ],
        Kind::Text,
    ),
    optional(
        [
            "login_base_url",
            "Log-in address",
            "",
            "Left empty: https://login.procore.com, or https://login-sandbox.procore.com for a developer \
             sandbox. Must belong to the same environment as the API address.",
        ],
        Kind::Text,
    ),
    optional(
        [
            "budget_view",
            "Budget view",
            "",
            "The id of the budget view that coverage is measured with. Left empty: the first view that shows \
             the original budget.",
        ],
        Kind::Text,
    ),
    optional(
        [
            "standard_cost_code_list",
            "Standard cost code list",
            "",
            "The id of the company's standard cost code list. Left empty: only the projects' own codes are used.",
        ],
        Kind::Text,
    ),
    optional(
        [
            "hook_payload",
            "Webhook payload version",
            "v3.0",
            "The version of the events that Procore sends. v3.0 names the parent of a line; a company that is \
             not offered it gets v2.0.",
        ],
        Kind::Choice(&["v2.0", "v3.0", "v4.0"]),
    ),
];

const CREDENTIALS: [Field; 2] = [
    Field {
        name: "client_id",
        label: "Client id",
        kind: Kind::Secret,
        required: true,
        default: "",
        hint: "From the app's page in Procore's developer portal. A developer sandbox has an id and a secret of its own; a \
               monthly sandbox uses those of production.",
    },
    Field {
        name: "client_secret",
        label: "Client secret",
        kind: Kind::Secret,
        required: true,
        default: "",
        hint: "Beside the client id in Procore's developer portal. It is kept sealed and never shown again.",
    },
];
