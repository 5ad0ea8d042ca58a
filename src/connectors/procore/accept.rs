//! What may be entered for a Procore connection, and where its calls go.
//!
//! Source: Procore "Development environments" and "Federal zone", read 2026-11-22, for the hosts.

use url::Url;

use crate::contract::Credentials;
use crate::domain::connection::{Environment, Settings};
use crate::domain::fault::Issue;

/// One of the vendor's worlds; a token of one is unknown in the others.
struct World {
    api: &'static str,
    login: &'static str,
    /// Data that nobody works with.
    is_sandbox: bool,
}

const PRODUCTION: World = World {
    api: "https://api.procore.com",
    login: "https://login.procore.com",
    is_sandbox: false,
};
const DEVELOPER_SANDBOX: World = World {
    api: "https://sandbox.procore.com",
    login: "https://login-sandbox.procore.com",
    is_sandbox: true,
};
const WORLDS: [World; 4] = [
    PRODUCTION,
    DEVELOPER_SANDBOX,
    World {
        api: "https://api-monthly.procore.com",
        login: "https://login-sandbox-monthly.procore.com",
        is_sandbox: true,
    },
    World {
        api: "https://api.procoregov.com",
        login: "https://login.procoregov.com",
        is_sandbox: false,
    },
];

const API: &str = "api_base_url";
const LOGIN: &str = "login_base_url";

fn usual(environment: Environment) -> World {
    match environment {
        Environment::Production => PRODUCTION,
        Environment::Sandbox => DEVELOPER_SANDBOX,
    }
}

/// Fills in the addresses that were left empty and checks the rest.
///
/// # Errors
/// Every issue at once.
pub(super) fn accept(
    settings: &mut Settings,
    credentials: &Credentials,
    environment: Environment,
) -> Result<(), Vec<Issue>> {
    let mut issues = Vec::new();
    issues.extend(accept_company(settings).err());
    let world = usual(environment);
    for (name, default) in [(API, world.api), (LOGIN, world.login)] {
        issues.extend(accept_address(settings, name, default).err());
    }
    issues.extend(check_worlds(settings, environment));
    for name in ["budget_view", "standard_cost_code_list"] {
        let text = settings.text(name).unwrap_or_default();
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            issues.push(wrong(name, "not_an_id", "is an id: digits alone"));
        }
    }
    issues.extend(check_credentials(credentials));
    if issues.is_empty() {
        Ok(())
    } else {
        Err(issues)
    }
}

fn wrong(name: &str, code: &str, message: &str) -> Issue {
    Issue::new(format!("settings/{name}"), code, message)
}

fn accept_company(settings: &mut Settings) -> Result<(), Issue> {
    let text = settings.text("company_id").unwrap_or_default();
    let id: Option<i64> = text
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten();
    let id = id.filter(|id| *id > 0).ok_or_else(|| {
        let message = "is the company's number, digits alone, as in its address bar";
        wrong("company_id", "not_an_id", message)
    })?;
    settings.set("company_id", id.to_string());
    Ok(())
}

/// Scheme, host and port are the guard's to judge; here: a base that paths can be joined to.
fn accept_address(settings: &mut Settings, name: &str, default: &str) -> Result<(), Issue> {
    let text = settings
        .text_or(name, default)
        .trim_end_matches('/')
        .to_owned();
    let not = |message: &str| Err(wrong(name, "not_an_address", message));
    let Ok(url) = Url::parse(&text) else {
        return not("is an address such as https://api.procore.com");
    };
    if !["http", "https"].contains(&url.scheme()) || url.host_str().is_none() {
        return not("is an address that begins with https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return not("must not hold a user or a password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return not("ends after the host: leave out everything from ? or # on");
    }
    if ["/rest", "/oauth", "/vapid"]
        .iter()
        .any(|part| url.path().starts_with(part))
    {
        return not("ends after the host: leave out /rest or /oauth and what follows");
    }
    settings.set(name, text);
    Ok(())
}

/// Addresses of two worlds never work together, and a sandbox is not production.
fn check_worlds(settings: &Settings, environment: Environment) -> Option<Issue> {
    let host = |name: &str| {
        let url = Url::parse(settings.text(name)?).ok()?;
        Some(url.host_str()?.to_owned())
    };
    let is_at = |address: &str, host: &str| address.strip_prefix("https://") == Some(host);
    let (api, login) = (host(API)?, host(LOGIN)?);
    let by_api = WORLDS.iter().find(|world| is_at(world.api, &api));
    let by_login = WORLDS.iter().find(|world| is_at(world.login, &login));
    match (by_api, by_login) {
        (Some(by_api), Some(by_login)) if by_api.api != by_login.api => Some(wrong(
            LOGIN,
            "other_environment",
            &format!(
                "belongs to another environment than {api}: there it is {}",
                by_api.login
            ),
        )),
        (Some(world), _) if world.is_sandbox && environment == Environment::Production => {
            Some(wrong(
                API,
                "other_environment",
                "is a sandbox: choose the environment sandbox, or leave this empty",
            ))
        }
        _ => None,
    }
}

fn check_credentials(credentials: &Credentials) -> Vec<Issue> {
    let names = ["client_id", "client_secret"];
    let given = names
        .iter()
        .filter_map(|name| Some((name, credentials.text(name).ok()?.trim())));
    given
        .filter(|(_, text)| text.is_empty() || text.chars().any(char::is_whitespace))
        .map(|(name, _)| {
            let message = "is one word without blanks or line breaks";
            Issue::new(format!("credentials/{name}"), "not_a_word", message)
        })
        .collect()
}

/// Both hosts that calls go to.
pub(super) fn addresses(settings: &Settings, environment: Environment) -> Vec<String> {
    let world = usual(environment);
    vec![
        settings.text_or(API, world.api).to_owned(),
        settings.text_or(LOGIN, world.login).to_owned(),
    ]
}

/// Host and company: what is read and written there is one place, whatever the connection is called.
pub(super) fn place(settings: &Settings, environment: Environment) -> String {
    let api = settings.text_or(API, usual(environment).api);
    let host = match Url::parse(api) {
        Ok(url) => {
            let host = url.host_str().unwrap_or_default().to_owned();
            url.port()
                .map_or(host.clone(), |port| format!("{host}:{port}"))
        }
        Err(_) => api.to_owned(),
    };
    format!("{host}/{}", settings.text("company_id").unwrap_or_default())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::secret::Secret;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let mut settings = Settings::default();
        for (name, text) in pairs {
            settings.set(name, *text);
        }
        settings
    }

    fn credentials(secret: &str) -> Credentials {
        let mut credentials = Credentials::default();
        for (name, text) in [("client_id", "app"), ("client_secret", secret)] {
            let text = Secret::new(text.to_owned());
            credentials.0.insert(name.to_owned(), text);
        }
        credentials
    }

    #[test]
    fn what_is_left_empty_is_filled_in() {
        for (environment, api) in [
            (Environment::Production, "https://api.procore.com"),
            (Environment::Sandbox, "https://sandbox.procore.com"),
        ] {
            let mut entered = settings(&[("company_id", " 04280001 "), ("api_base_url", "")]);
            accept(&mut entered, &credentials("s3cret\n"), environment).unwrap();
            assert_eq!(entered.text("company_id"), Some("4280001"));
            assert_eq!(entered.text("api_base_url"), Some(api));
            assert_eq!(addresses(&entered, environment).len(), 2);
        }
        let mut entered = settings(&[("company_id", "7"), ("api_base_url", "http://127.0.0.1:9/")]);
        accept(&mut entered, &Credentials::default(), Environment::Sandbox).unwrap();
        assert_eq!(place(&entered, Environment::Sandbox), "127.0.0.1:9/7");
    }

    #[test]
    fn every_mistake_is_named_at_its_field() {
        let table: [(&[(&str, &str)], &str); 13] = [
            (&[("company_id", "")], "settings/company_id"),
            (&[("company_id", "Acme")], "settings/company_id"),
            (&[("company_id", "-1")], "settings/company_id"),
            (
                &[("company_id", "99999999999999999999")],
                "settings/company_id",
            ),
            (
                &[("api_base_url", "api.procore.com")],
                "settings/api_base_url",
            ),
            (
                &[("api_base_url", "ftp://api.procore.com")],
                "settings/api_base_url",
            ),
            (
                &[("api_base_url", "https://me:pw@api.procore.com")],
                "settings/api_base_url",
            ),
            (
                &[("api_base_url", "https://api.procore.com/rest/v1.0")],
                "settings/api_base_url",
            ),
            (
                &[("login_base_url", "https://login.procore.com/?x=1")],
                "settings/login_base_url",
            ),
            (
                &[("login_base_url", "https://login-sandbox.procore.com")],
                "settings/login_base_url",
            ),
            (
                &[
                    ("api_base_url", "https://sandbox.procore.com"),
                    ("login_base_url", "https://login-sandbox.procore.com"),
                ],
                "settings/api_base_url",
            ),
            (&[("budget_view", "Original")], "settings/budget_view"),
            (
                &[("standard_cost_code_list", "1 2")],
                "settings/standard_cost_code_list",
            ),
        ];
        for (pairs, field) in table {
            let mut entered = settings(&[("company_id", "7")]);
            entered.0.extend(settings(pairs).0);
            let issues = accept(&mut entered, &credentials("s"), Environment::Production);
            let fields: Vec<String> = issues.unwrap_err().into_iter().map(|i| i.field).collect();
            assert_eq!(fields, [field], "{pairs:?}");
        }
        let mut entered = settings(&[("company_id", "x"), ("api_base_url", "x")]);
        let issues = accept(&mut entered, &credentials("a b"), Environment::Production);
        assert_eq!(issues.unwrap_err().len(), 3);
    }
}
