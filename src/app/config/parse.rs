//! One value of a setting from its text. An error says what the text must be, and quotes no secret.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use url::Url;

use super::settings::LogFormat;
use crate::connectors::kit::HostRule;
use crate::domain::member::SignUp;
use crate::domain::secret::Secret;

pub(super) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

pub(super) fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let text = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    text.parse()
        .map_err(|_| "it must be an address and a port, such as `127.0.0.1:8080` or `[::1]:8080`")
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

pub(super) fn public_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok().filter(is_web);
    let url = url.ok_or("it must be a whole address, such as `https://connector.example.com`")?;
    let is_bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if is_bare {
        Ok(url)
    } else {
        Err("it must end after the host and port: no path, question mark, `#` or user in it")
    }
}

pub(super) fn proxies(text: &str) -> Result<Vec<IpAddr>, String> {
    list(text)
        .map(|item| {
            item.parse().map_err(|_| {
                format!("`{item}` is no IP address; list addresses, separated by commas")
            })
        })
        .collect()
}

pub(super) fn sign_up(text: &str) -> Result<SignUp, &'static str> {
    text.to_ascii_lowercase()
        .parse()
        .map_err(|_| "it must be `open`, `invite` or `closed`")
}

pub(super) fn host_rules(text: &str) -> Result<Vec<HostRule>, String> {
    list(text)
        .map(|item| {
            host_rule(item).ok_or_else(|| {
                format!(
                    "`{item}` is no host; write names without scheme and path, each with its port where \
                     that is not 443: `erp.example.com,m.example.net:8443`"
                )
            })
        })
        .collect()
}

fn host_rule(item: &str) -> Option<HostRule> {
    let (host, port) = match item.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok().filter(|port| *port != 0)?),
        None => (item, 443),
    };
    let suffix = host
        .trim_start_matches("*.")
        .trim_matches('.')
        .to_ascii_lowercase();
    let is_host = !suffix.is_empty()
        && suffix
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-'));
    is_host.then_some(HostRule { suffix, port })
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

const DATABASE_URL: &str =
    "it must be `sqlite://` and a file, or `postgres://user:password@host/database`";

pub(super) fn admin_url(text: &str) -> Result<Secret<String>, &'static str> {
    database_url(text).map(|(url, _)| url)
}

/// The address, and its file where it is SQLite.
pub(super) fn database_url(text: &str) -> Result<(Secret<String>, Option<PathBuf>), &'static str> {
    let url = Secret::new(text.to_owned());
    if let Some(rest) = text.strip_prefix("sqlite:") {
        let file = rest.strip_prefix("//").unwrap_or(rest);
        let file = file.split('?').next().unwrap_or_default();
        if file.is_empty() || file.contains(":memory:") || text.contains("mode=memory") {
            return Err(
                "a database in memory would forget everything; name a file, such as `sqlite://data/ml-connector.db`",
            );
        }
        return Ok((url, Some(percent_decoded(file))));
    }
    let is_postgres =
        Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql"));
    if is_postgres {
        Ok((url, None))
    } else {
        Err(DATABASE_URL)
    }
}

/// The address of a database file. What means something in an address is written out.
pub(super) fn sqlite_url(file: &Path) -> String {
    let mut url = "sqlite://".to_owned();
    for letter in file.to_string_lossy().chars() {
        match letter {
            '%' => url.push_str("%25"),
            '?' => url.push_str("%3F"),
            '#' => url.push_str("%23"),
            _ => url.push(letter),
        }
    }
    url.push_str("?mode=rwc");
    url
}

/// An address writes bytes out as `%` and two digits; a file's name holds the bytes.
fn percent_decoded(text: &str) -> PathBuf {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let escaped = part
            .split_at_checked(2)
            .and_then(|(digits, rest)| Some((u8::from_str_radix(digits, 16).ok()?, rest)));
        let (byte, rest) = escaped.unwrap_or((b'%', part));
        bytes.push(byte);
        bytes.extend(rest.as_bytes());
    }
    PathBuf::from(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn yes_or_no(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("it must be `1` or `0`"),
    }
}

pub(super) fn whole<T: FromStr + PartialOrd + Display>(
    text: &str,
    least: T,
    most: T,
) -> Result<T, String> {
    let number: Option<T> = text.parse().ok();
    number
        .filter(|number| *number >= least && *number <= most)
        .ok_or_else(|| format!("it must be a whole number from {least} to {most}"))
}

pub(super) fn address_or_off(text: &str) -> Result<Option<SocketAddr>, &'static str> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    address(text).map(Some)
}

pub(super) fn web_address(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok().filter(is_web);
    url.ok_or("it must be an http or https address")
}

pub(super) fn smtp_url(text: &str) -> Result<Secret<String>, &'static str> {
    let is_smtp = Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "smtp" | "smtps") && url.has_host());
    is_smtp.then(|| Secret::new(text.to_owned())).ok_or(
        "it must be `smtp://` or `smtps://` with a host, such as `smtps://user:password@mail.example.com`",
    )
}

pub(super) fn sender(text: &str) -> Result<String, &'static str> {
    let is_address = text.contains('@') && !text.contains(char::is_control);
    is_address
        .then(|| text.to_owned())
        .ok_or("it must be an e-mail address, such as `ml-connector@example.com`")
}

pub(super) fn log_filter(text: &str) -> Result<String, &'static str> {
    EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|_| {
            "it must be a level (`error`, `warn`, `info`, `debug`, `trace`) or a filter such as \
         `info,ml_connector=debug`"
        })
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "human" => Ok(LogFormat::Human),
        "json" => Ok(LogFormat::Json),
        _ => Err("it must be `human` or `json`"),
    }
}
