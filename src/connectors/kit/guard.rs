//! Where calls may go: the rules for addresses that people enter and for every address that is called.

use std::net::IpAddr;

use url::{Host, Url};

use super::ranges::{self, Kind};
use crate::domain::fault::{Fault, Issue};

/// A host, or all hosts below it, on one port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRule {
    /// `example.com` admits itself and `api.example.com`, never `evil-example.com`.
    pub suffix: String,
    pub port: u16,
}

impl HostRule {
    /// A rule for https on its usual port.
    #[must_use]
    pub fn https(suffix: impl Into<String>) -> Self {
        Self {
            suffix: suffix.into(),
            port: 443,
        }
    }

    fn admits(&self, host: &str, port: u16) -> bool {
        let suffix = self.suffix.trim_matches('.').to_ascii_lowercase();
        let below = host
            .strip_suffix(&suffix)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        !suffix.is_empty() && below && port == self.port
    }
}

/// The operator's rules.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub allowed_hosts: Vec<HostRule>,
    /// Lifts the scheme, port, host-list and private-address rules; link-local and metadata addresses
    /// stay refused. For tests and closed networks.
    pub allow_private_targets: bool,
    /// Ports of this machine that plain http may go to: the demonstration's own sandboxes.
    pub loopback_ports: Vec<u16>,
}

/// Addresses longer than this are nobody's.
const ADDRESS_CHARACTERS_MAX: usize = 2048;

impl Rules {
    /// Checks an address as a person entered it. Nothing is looked up or sent.
    ///
    /// # Errors
    /// One sentence for every kind of refusal, so that refusals tell nothing about a network.
    pub fn check(&self, address: &str) -> Result<Url, Issue> {
        let url = as_written(address).ok_or_else(|| self.refusal())?;
        if self.admits(&url) {
            Ok(url)
        } else {
            Err(self.refusal())
        }
    }

    /// Whether a call may go to this URL, as far as its text tells.
    pub(super) fn admits(&self, url: &Url) -> bool {
        if !url.username().is_empty() || url.password().is_some() {
            return false;
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return false;
        };
        let is_secure = url.scheme() == "https";
        let is_plain = url.scheme() == "http";
        match host {
            Host::Domain(name) => {
                let is_listed = || {
                    self.allowed_hosts
                        .iter()
                        .any(|rule| rule.admits(name, port))
                };
                is_plain_name(name)
                    && ((self.allow_private_targets && (is_secure || is_plain))
                        || (is_secure && is_listed()))
            }
            Host::Ipv4(address) => {
                let is_own_sandbox =
                    is_plain && address.is_loopback() && self.loopback_ports.contains(&port);
                is_own_sandbox || self.admits_literal(address.into(), port, is_secure, is_plain)
            }
            Host::Ipv6(address) => self.admits_literal(address.into(), port, is_secure, is_plain),
        }
    }

    fn admits_literal(&self, address: IpAddr, port: u16, is_secure: bool, is_plain: bool) -> bool {
        let is_listed = self
            .allowed_hosts
            .iter()
            .any(|rule| rule.port == port && rule.suffix.parse() == Ok(address));
        let may_be_called = self.admits_address(address);
        may_be_called
            && ((self.allow_private_targets && (is_secure || is_plain)) || (is_secure && is_listed))
    }

    /// Whether a looked-up address may be dialled.
    pub(super) fn admits_address(&self, address: IpAddr) -> bool {
        match ranges::kind(address) {
            Kind::Public => true,
            Kind::Private => self.allow_private_targets,
            Kind::Never => false,
        }
    }

    /// The one answer to every address that is not allowed.
    pub(super) fn refusal(&self) -> Issue {
        let hosts: Vec<String> = self
            .allowed_hosts
            .iter()
            .map(|rule| match rule.port {
                443 => rule.suffix.clone(),
                port => format!("{}:{port}", rule.suffix),
            })
            .collect();
        let hosts = if hosts.is_empty() {
            "none".to_owned()
        } else {
            hosts.join(", ")
        };
        Issue::new(
            "",
            "address_refused",
            format!(
                "calls to this address are not allowed: it must begin with https:// and name one of the \
                 allowed hosts ({hosts}); whoever runs this service can allow more with MLC_VENDOR_HOSTS"
            ),
        )
    }

    /// The same as a fault.
    pub(super) fn refused(&self) -> Fault {
        Fault::Rejected {
            issues: vec![self.refusal()],
        }
    }
}

/// Parses an address only if the parser changes nothing in it: what a person reads is what is called.
/// So no number hides as a host, no blank or backslash is dropped, no `..` climbs, no letter looks alike.
fn as_written(address: &str) -> Option<Url> {
    let address = address.trim_matches(' ');
    let is_plain = address.len() <= ADDRESS_CHARACTERS_MAX
        && address
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\\@#?%<>\"'`{}|^".contains(&byte));
    if !is_plain {
        return None;
    }
    let (scheme, rest) = address.split_once("://")?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let url = Url::parse(address).ok()?;
    let same_port = match port {
        None => url.port().is_none(),
        Some(port) => {
            url.port_or_known_default()
                .map(|port| port.to_string())
                .as_deref()
                == Some(port)
        }
    };
    let is_same = url.scheme().eq_ignore_ascii_case(scheme)
        && url
            .host_str()
            .is_some_and(|parsed| parsed.eq_ignore_ascii_case(host))
        && same_port
        && url.path() == path;
    is_same.then_some(url)
}

/// Letters, digits, dashes and single dots; not the root's trailing dot, not a number.
fn is_plain_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}
