//! Checks what was entered before it is stored, and takes the visible settings out of the .ionapi file.

use url::{Host, Url};

use super::ionapi::IonApi;
use crate::contract::Credentials;
use crate::domain::connection::{Environment, Setting, Settings};
use crate::domain::fault::Issue;

/// Programs that the connector calls by these names.
pub(super) const PROGRAMS: &[&str] = &[
    "APS200MI", "APS450MI", "APS455MI", "CRS008MI", "CRS055MI", "CRS111MI", "CRS175MI", "CRS620MI",
    "CRS630MI", "EXPORTMI", "GENERAL", "MMS005MI", "MMS200MI", "MNS100MI", "MRS001MI", "PPS001MI",
    "PPS095MI", "PPS200MI", "PPS370MI", "PPSSPPMI",
];

/// Keys and their widths. Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (data formats).
const WIDTHS: &[(&str, usize)] = &[
    ("divi", 3),
    ("facility", 3),
    ("warehouse", 3),
    ("buyer", 10),
    ("purchaser", 10),
    ("responsible", 10),
    ("order_type", 3),
    ("subcontract_order_type", 3),
    ("batch_origin", 10),
    ("supplier_template", 10),
    ("address_type", 2),
    ("retainage_service_code", 2),
    ("authorizer", 10),
];

/// See [`Connector::accept`](crate::contract::Connector::accept).
pub(super) fn accept(
    settings: &mut Settings,
    credentials: &Credentials,
    _environment: Environment,
) -> Result<(), Vec<Issue>> {
    let mut issues = Vec::new();
    match credentials.text("ionapi") {
        Ok(text) => match IonApi::read(text) {
            Ok(file) => take_visible(settings, &file),
            Err(found) => issues.extend(found),
        },
        // A stored file stays as it is when only settings are changed.
        Err(_) if settings.text("iu").is_some() => {}
        Err(_) => issues.push(Issue::new(
            super::ionapi::FIELD,
            "required",
            "the .ionapi file is needed: paste its whole text",
        )),
    }
    upper_case(settings);
    issues.extend(company(settings));
    issues.extend(WIDTHS.iter().filter_map(|width| too_long(settings, *width)));
    issues.extend(unlimited_calls(settings));
    issues.extend(tables(settings));
    if issues.is_empty() {
        Ok(())
    } else {
        Err(issues)
    }
}

fn take_visible(settings: &mut Settings, file: &IonApi) {
    settings.set("ti", &file.tenant);
    settings.set("iu", &file.gateway);
    settings.set("pu", &file.authorisation);
    settings.set("ot", &file.token_path);
}

/// M3's keys are upper case.
fn upper_case(settings: &mut Settings) {
    for (name, _) in WIDTHS {
        if let Some(value) = settings.text(name).map(str::to_uppercase) {
            settings.set(name, value);
        }
    }
}

fn company(settings: &Settings) -> Option<Issue> {
    let text = settings.text("cono")?;
    let is_company = text.len() <= 3
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte != b'0');
    (!is_company).then(|| {
        Issue::new(
            "settings/cono",
            "invalid",
            format!("`{text}` is not a company: M3 numbers them 1 to 999"),
        )
    })
}

fn too_long(settings: &Settings, (name, characters_max): (&str, usize)) -> Option<Issue> {
    let text = settings.text(name)?;
    let at = format!("settings/{name}");
    if text.chars().any(char::is_control) {
        return Some(Issue::new(
            at,
            "control_characters",
            "control characters are not allowed",
        ));
    }
    (text.chars().count() > characters_max).then(|| {
        Issue::new(
            at,
            "too_long",
            format!("`{text}` is longer than the {characters_max} characters that M3 keeps"),
        )
    })
}

/// No pace of our own is for closed networks, where the gateway is a machine beside us.
fn unlimited_calls(settings: &Settings) -> Option<Issue> {
    let is_near = || {
        let url: Url = settings.text("iu")?.parse().ok()?;
        Some(match url.host()? {
            Host::Domain(name) => name == "localhost" || !name.contains('.'),
            Host::Ipv4(address) => address.is_private() || address.is_loopback(),
            Host::Ipv6(address) => address.is_unique_local() || address.is_loopback(),
        })
    };
    (settings.number("requests_per_minute") == Some(0) && is_near() != Some(true)).then(|| {
        Issue::new(
            "settings/requests_per_minute",
            "invalid",
            "calls without a limit are for private addresses only: enter 1 to 3000",
        )
    })
}

fn tables(settings: &Settings) -> Vec<Issue> {
    let mut issues = Vec::new();
    let is_word = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    for (standard, own) in settings.entries("mi_programs") {
        if !PROGRAMS.contains(&standard) {
            issues.push(Issue::new(
                "settings/mi_programs",
                "unknown_program",
                format!(
                    "{standard} is not called here; known are {}",
                    PROGRAMS.join(", ")
                ),
            ));
        }
        if !is_word(own.trim()) || own.trim().len() > 10 {
            issues.push(Issue::new(
                "settings/mi_programs",
                "invalid",
                format!("`{own}` is not the name of a program, such as EXT370MI"),
            ));
        }
    }
    for (field, _) in settings.entries("supplier_defaults") {
        if !is_word(field) || field.len() != 4 {
            issues.push(Issue::new(
                "settings/supplier_defaults",
                "invalid",
                format!("`{field}` is not an MI field, such as TEPY"),
            ));
        }
    }
    for name in settings.0.iter().filter_map(|(name, value)| match value {
        Setting::Table(rows)
            if rows
                .values()
                .any(|value| value.chars().any(char::is_control)) =>
        {
            Some(name)
        }
        _ => None,
    }) {
        issues.push(Issue::new(
            format!("settings/{name}"),
            "control_characters",
            "control characters are not allowed",
        ));
    }
    issues
}

/// The addresses that calls go to.
pub(super) fn addresses(settings: &Settings, _environment: Environment) -> Vec<String> {
    ["iu", "pu"]
        .iter()
        .filter_map(|name| settings.text(name))
        .map(str::to_owned)
        .collect()
}

/// Gateway, tenant, company, division: where a write lands.
pub(super) fn place(settings: &Settings, _environment: Environment) -> String {
    place_in(settings, settings.text("divi").unwrap_or_default())
}

/// The same with a division of its own.
pub(super) fn place_in(settings: &Settings, division: &str) -> String {
    let address: Option<Url> = settings.text("iu").and_then(|address| address.parse().ok());
    let host = address
        .as_ref()
        .and_then(Url::host_str)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let port = address.as_ref().and_then(Url::port);
    let host = port.map_or(host.clone(), |port| format!("{host}:{port}"));
    let part = |name| settings.text(name).unwrap_or_default();
    format!("{host}/{}/{}/{division}", part("ti"), part("cono"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::secret::Secret;

    fn credentials(gateway: &str) -> Credentials {
        let file = serde_json::json!({
            "ti": "ACME_TST", "ci": "ACME_TST~c", "cs": "s", "iu": gateway, "pu": "https://sso.inforcloudsuite.com/as/",
            "ot": "token.oauth2", "saak": "ACME_TST#k", "sask": "s"
        });
        Credentials(BTreeMap::from([(
            "ionapi".to_owned(),
            Secret::new(file.to_string()),
        )]))
    }

    fn entered(settings: &[(&str, &str)]) -> Settings {
        let mut all = Settings::default();
        for (name, value) in settings {
            all.set(name, *value);
        }
        all
    }

    fn codes(settings: &mut Settings, credentials: &Credentials) -> Vec<(String, String)> {
        let issues = accept(settings, credentials, Environment::Sandbox)
            .err()
            .unwrap_or_default();
        issues
            .into_iter()
            .map(|issue| (issue.field, issue.code))
            .collect()
    }

    #[test]
    fn the_files_addresses_become_settings_and_keys_upper_case() {
        let mut settings = entered(&[("cono", "100"), ("divi", "aaa"), ("facility", " a01 ")]);
        accept(
            &mut settings,
            &credentials("https://gw.inforcloudsuite.com/"),
            Environment::Sandbox,
        )
        .unwrap();
        assert_eq!(settings.text("ti"), Some("ACME_TST"));
        assert_eq!(settings.text("facility"), Some("A01"));
        assert_eq!(
            addresses(&settings, Environment::Sandbox),
            [
                "https://gw.inforcloudsuite.com",
                "https://sso.inforcloudsuite.com/as/"
            ]
        );
        assert_eq!(
            place(&settings, Environment::Sandbox),
            "gw.inforcloudsuite.com/ACME_TST/100/AAA"
        );
        // Without the file again, what it gave stays.
        accept(&mut settings, &Credentials::default(), Environment::Sandbox).unwrap();
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let mut settings = entered(&[
            ("cono", "1000"),
            ("facility", "A0123"),
            ("requests_per_minute", "0"),
        ]);
        settings.0.insert(
            "mi_programs".to_owned(),
            Setting::Table(BTreeMap::from([
                ("PPS370MI".to_owned(), "ext/../x".to_owned()),
                ("NOPE".to_owned(), "EXT1MI".to_owned()),
            ])),
        );
        settings.0.insert(
            "supplier_defaults".to_owned(),
            Setting::Table(BTreeMap::from([("terms".to_owned(), "30".to_owned())])),
        );
        let found = codes(
            &mut settings,
            &credentials("https://gw.inforcloudsuite.com"),
        );
        let want = [
            ("settings/cono", "invalid"),
            ("settings/facility", "too_long"),
            ("settings/requests_per_minute", "invalid"),
            ("settings/mi_programs", "unknown_program"),
            ("settings/mi_programs", "invalid"),
            ("settings/supplier_defaults", "invalid"),
        ];
        assert_eq!(
            found,
            want.map(|(field, code)| (field.to_owned(), code.to_owned()))
        );
        let mut near = entered(&[("cono", "100"), ("requests_per_minute", "0")]);
        assert!(codes(&mut near, &credentials("http://127.0.0.1:8081")).is_empty());
        let missing = codes(&mut entered(&[("cono", "1")]), &Credentials::default());
        assert_eq!(
            missing,
            [("credentials/ionapi".to_owned(), "required".to_owned())]
        );
    }
}
