//! The log: one event, one line, on standard error, whatever the data in it tries.

use std::io::{self, Write};

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::config::{Log, LogFormat};
use crate::audit::{is_deceptive, visible};

/// Crates that carry bytes of requests. Below `warn` they tell of every
/// start and stop, and further down print what they carry, which may be a secret.
const CARRIERS: &[&str] = &[
    "actix_http",
    "actix_server",
    "actix_web",
    "h2",
    "hyper",
    "hyper_util",
    "mio",
    "reqwest",
    "rustls",
    "sea_orm",
    "sea_orm_migration",
    "sqlx",
    "tokio_util",
];

/// The log could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the log cannot be started")]
pub struct NoLog(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Starts the log of this process.
///
/// # Errors
/// When it was started before.
pub fn start(log: &Log) -> Result<(), NoLog> {
    let started = tracing::subscriber::set_global_default(subscriber(log, io::stderr));
    started.map_err(|error| NoLog(error.into()))
}

/// Everything but where the lines go.
fn subscriber<W>(log: &Log, to: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = Lines {
        to,
        format: log.format,
    };
    let events = tracing_subscriber::fmt()
        .with_env_filter(filter(log))
        // Colours are escape sequences, which lines are searched for.
        .with_ansi(false)
        .with_writer(lines);
    match log.format {
        LogFormat::Human => Box::new(events.finish()),
        LogFormat::Json => Box::new(events.json().flatten_event(true).finish()),
    }
}

fn filter(log: &Log) -> EnvFilter {
    CARRIERS
        .iter()
        .filter_map(|name| format!("{name}=warn").parse().ok())
        .fold(EnvFilter::new(&log.filter), EnvFilter::add_directive)
}

/// Makes each event one visible line.
struct Lines<W> {
    to: W,
    format: LogFormat,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Lines<W> {
    type Writer = Line<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line {
            to: self.to.make_writer(),
            format: self.format,
        }
    }
}

/// One event on its way out. It comes whole, in one call, with one line end behind it.
struct Line<W> {
    to: W,
    format: LogFormat,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let mut line = match self.format {
            LogFormat::Human => visible(text).into_owned(),
            LogFormat::Json => visible_in_json(text),
        };
        line.push('\n');
        self.to.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// As [`visible`], in JSON's own notation, so that a reader gets the text back as it was.
fn visible_in_json(text: &str) -> String {
    let mut line = String::with_capacity(text.len().saturating_add(1));
    for letter in text.chars() {
        if is_deceptive(letter) {
            line.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            line.push(letter);
        }
    }
    line
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written when `events` happen.
    fn written(filter: &str, format: LogFormat, events: impl FnOnce()) -> String {
        let kept = Kept::default();
        let log = Log {
            filter: filter.to_owned(),
            format,
        };
        let to = kept.clone();
        tracing::subscriber::with_default(subscriber(&log, move || to.clone()), events);
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    const HOSTILE: &str =
        "Acme\r\n2026-11-24 INFO all is well\u{1b}[2J \u{9b}31m \u{202e}exe \u{7f}";

    #[test]
    fn hostile_text_stays_in_its_line() {
        let events = || tracing::info!(name = HOSTILE, note = %HOSTILE, "a {HOSTILE} message");
        let human = written("info", LogFormat::Human, events);
        assert_eq!(human.lines().count(), 1, "{human}");
        assert!(
            !human.trim_end_matches('\n').contains(is_deceptive),
            "{human}"
        );

        let json = written("info", LogFormat::Json, events);
        assert_eq!(json.lines().count(), 1, "{json}");
        assert!(
            !json.trim_end_matches('\n').contains(is_deceptive),
            "{json}"
        );
        let event: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(event["name"], HOSTILE);
        assert_eq!(event["note"], HOSTILE);
        assert_eq!(event["level"], "INFO");
    }

    #[test]
    fn ids_of_the_work_stand_on_each_line() {
        let json = written("info", LogFormat::Json, || {
            let _span = tracing::info_span!("record", record_id = "r-1").entered();
            tracing::warn!("refused");
        });
        let event: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(event["span"]["record_id"], "r-1");
    }

    #[test]
    fn carriers_stay_silent_however_much_is_asked() {
        let log = written("trace,hyper=trace", LogFormat::Human, || {
            tracing::trace!(target: "hyper::proto", "authorization: canary");
            tracing::debug!(target: "sqlx::query", "canary");
            tracing::trace!("our own");
        });
        assert!(log.contains("our own") && !log.contains("canary"), "{log}");
    }
}
