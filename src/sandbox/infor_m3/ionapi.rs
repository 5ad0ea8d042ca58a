//! The file with which a tenant's administrator lets a program in, made for this address.
//!
//! Source: ION API credentials file, field list and sample, read 2026-11-22.

use serde_json::json;

/// The tenant, first part of every path.
pub const TENANT: &str = "DEMO_TST";
pub(super) const CLIENT_ID: &str = "DEMO_TST~sandbox0client0id0000000000000000000000000000";
pub(super) const CLIENT_SECRET: &str = "sandbox-m3-client-secret";
pub(super) const ACCESS_KEY: &str = "DEMO_TST#sandbox0access0key";
pub(super) const SECRET_KEY: &str = "sandbox-m3-secret-key";

/// Paths behind `{base}/{tenant}/as/`.
pub(super) const TOKEN_PATH: &str = "token.oauth2";
pub(super) const REVOKE_PATH: &str = "revoke_token.oauth2";

/// The text of the .ionapi file for a simulator at `base_url`, e.g. [`Running::url`].
///
/// [`Running::url`]: crate::sandbox::kit::Running::url
#[must_use]
pub fn ionapi(base_url: &str) -> String {
    let base_url = base_url.trim_end_matches('/');
    let file = json!({
        "ti": TENANT,
        "cn": "Sandbox connector",
        "dt": "12",
        "ci": CLIENT_ID,
        "cs": CLIENT_SECRET,
        "iu": base_url,
        "pu": format!("{base_url}/{TENANT}/as/"),
        "oa": "authorization.oauth2",
        "ot": TOKEN_PATH,
        "or": REVOKE_PATH,
        "sc": [],
        "ev": "X0000000000",
        "v": "1.1",
        "saak": ACCESS_KEY,
        "sask": SECRET_KEY,
    });
    format!("{file:#}")
}
