//! What a Procore connection asks for.
//!
//! Source: Procore "Development environments" and "Federal zone", read 2026-11-22, for the hosts.

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

const SETTINGS: [Field; 8] = [
    Field {
        name: "company_id",
        label: "Company id",
        kind: Kind::Text,
        required: true,
        default: "",
        hint: "The number after /company/ or /companies/ in the address bar when Procore's company pages are open.",
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
            "The id of the company's standard cost code list, from Company Admin, Cost Codes. Left empty: \
             only the projects' own codes are used.",
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
    optional(
        [
            "quiet_period_seconds",
            "Quiet period in seconds",
            "300",
            "How long an unknown outcome rests before it may be sent again.",
        ],
        Kind::Number {
            min: 0,
            max: 86_400,
        },
    ),
    optional(
        [
            "timeout_seconds",
            "Time-out in seconds",
            "30",
            "How long one call to Procore may take.",
        ],
        Kind::Number { min: 1, max: 600 },
    ),
];

const CREDENTIALS: [Field; 2] = [
    Field {
        name: "client_id",
        label: "Client id",
        kind: Kind::Secret,
        required: true,
        default: "",
        hint: "From the app's page in the Procore Developer Portal, OAuth credentials. Sandbox and production \
               have different ones.",
    },
    Field {
        name: "client_secret",
        label: "Client secret",
        kind: Kind::Secret,
        required: true,
        default: "",
        hint: "Beside the client id in the Developer Portal. It is kept sealed and never shown again.",
    },
];
