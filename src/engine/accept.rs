//! What was entered for a connection, judged by its connector and by the rules for addresses. Nothing is
//! sent.

use std::collections::BTreeMap;

use url::Url;

use super::Engine;
use crate::contract::Credentials;
use crate::domain::connection::{Connection, Environment, Setting, Settings};
use crate::domain::fault::Issue;
use crate::domain::secret::Secret;
use crate::domain::system::SystemId;

/// Settings and opened credentials, by the names of the system's form.
#[derive(Debug)]
pub struct Entered {
    pub system: SystemId,
    pub environment: Environment,
    pub settings: Settings,
    pub credentials: BTreeMap<String, Secret<String>>,
}

impl Entered {
    /// Where calls of this connection go to, each host with its port once.
    #[must_use]
    pub fn origins(&self, engine: &Engine) -> Vec<String> {
        origins(&engine.addresses(&self.system, &self.settings, self.environment))
    }
}

impl Engine {
    /// Lets the connector check what was entered, and add the settings that come out of a credential.
    ///
    /// # Errors
    /// Every issue at once: the connector's, and an address that calls may not go to.
    pub fn accept(&self, entered: &mut Entered) -> Result<(), Vec<Issue>> {
        let Some(connector) = self.connector(&entered.system) else {
            return Err(vec![unknown_system(self)]);
        };
        let credentials = Credentials(std::mem::take(&mut entered.credentials));
        let accepted = (connector.accept)(&mut entered.settings, &credentials, entered.environment);
        entered.credentials = credentials.0;
        let mut issues = accepted.err().unwrap_or_default();
        for address in (connector.addresses)(&entered.settings, entered.environment) {
            if let Err(refused) = self.network.check_address(&address) {
                let field = self.field_of(entered, &address);
                // One sentence a field: the connector may have found the same.
                if !issues.iter().any(|issue| issue.field == field) {
                    issues.push(Issue { field, ..refused });
                }
            }
        }
        if issues.is_empty() {
            Ok(())
        } else {
            Err(issues)
        }
    }

    /// The addresses that calls of a connection go to.
    #[must_use]
    pub fn addresses(
        &self,
        system: &SystemId,
        settings: &Settings,
        environment: Environment,
    ) -> Vec<String> {
        self.connector(system).map_or_else(Vec::new, |connector| {
            (connector.addresses)(settings, environment)
        })
    }

    /// The physical target of a connection: host, company, division.
    #[must_use]
    pub fn place(&self, connection: &Connection) -> String {
        let place = |settings, environment| {
            self.connector(&connection.system)
                .map(|connector| (connector.place)(settings, environment))
        };
        place(&connection.settings, connection.environment).unwrap_or_default()
    }

    /// The field that a person can correct: the setting that holds the address, or else the credential
    /// that it came out of.
    fn field_of(&self, entered: &Entered, address: &str) -> String {
        let form = self.system(&entered.system);
        let holds = |value: &Setting| match value {
            Setting::Text(text) => {
                !text.is_empty()
                    && (address.starts_with(text.as_str()) || text.starts_with(address))
            }
            Setting::Table(_) => false,
        };
        let setting = entered.settings.0.iter().find(|(name, value)| {
            holds(value)
                && form
                    .as_ref()
                    .is_some_and(|form| form.setting(name).is_some())
        });
        let file = form.as_ref().and_then(|form| {
            form.credentials
                .iter()
                .find(|field| entered.credentials.contains_key(field.name))
        });
        match (setting, file) {
            (Some((name, _)), _) => format!("settings/{name}"),
            (None, Some(file)) => format!("credentials/{}", file.name),
            (None, None) => "settings".to_owned(),
        }
    }
}

/// The issue of a system that no connector is there for.
#[must_use]
pub fn unknown_system(engine: &Engine) -> Issue {
    let known: Vec<String> = engine
        .connectors
        .iter()
        .map(|connector| connector.system.to_string())
        .collect();
    Issue::new(
        "system",
        "unknown",
        format!("choose one of {}", known.join(", ")),
    )
}

/// Each host once, without what follows it.
pub(super) fn origins(addresses: &[String]) -> Vec<String> {
    let mut origins: Vec<String> = Vec::new();
    for address in addresses {
        let origin = Url::parse(address).map_or_else(
            |_| address.clone(),
            |url| url.origin().ascii_serialization(),
        );
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    origins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_once() {
        let addresses = [
            "https://a.example/rest".to_owned(),
            "https://a.example/token".to_owned(),
            "https://b.example:8443/".to_owned(),
        ];
        assert_eq!(
            origins(&addresses),
            ["https://a.example", "https://b.example:8443"]
        );
    }
}
