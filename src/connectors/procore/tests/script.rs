//! A wire that answers from a script, for what no well-behaved server would do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::contract::{Answer, Facts, Request, Response, Session, Token, Tokens, Wire};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::connection::Settings;
use crate::domain::fault::Fault;
use crate::domain::secret::Secret;

/// Answers in order, and remembers what was asked.
#[derive(Default)]
pub(super) struct Script {
    answers: Mutex<VecDeque<Result<Response, Fault>>>,
    pub asked: Mutex<Vec<Request>>,
}

impl Script {
    /// The path and query of every request, in order.
    pub(super) fn paths(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .map(|request| {
                let url = &request.url;
                match url.query() {
                    Some(query) => format!("{}?{query}", url.path()),
                    None => url.path().to_owned(),
                }
            })
            .collect()
    }
}

impl Wire for Script {
    fn send(&self, request: Request) -> Answer<'_, Response> {
        let path = request.url.path().to_owned();
        self.asked.lock().unwrap().push(request);
        let next = self.answers.lock().unwrap().pop_front();
        Box::pin(async move { next.unwrap_or_else(|| panic!("nothing left to answer {path}")) })
    }
}

impl Tokens for Script {
    fn current(&self) -> Answer<'_, Token> {
        Box::pin(async { Ok(token()) })
    }

    fn renew(&self, _refused_generation: i64) -> Answer<'_, Token> {
        Box::pin(async { Ok(token()) })
    }
}

fn token() -> Token {
    Token {
        value: Secret::new("token".to_owned()),
        generation: 1,
        expires_at: Timestamp(i64::MAX),
    }
}

/// A status, headers and a body.
pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Response, Fault> {
    let headers = headers.iter();
    Ok(Response {
        status,
        headers: headers
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.as_bytes().to_vec(),
    })
}

/// A session over a script.
pub(super) fn session(
    answers: impl IntoIterator<Item = Result<Response, Fault>>,
) -> (Session, Arc<Script>) {
    let script = Arc::new(Script {
        answers: Mutex::new(answers.into_iter().collect()),
        asked: Mutex::default(),
    });
    let mut settings = Settings::default();
    settings.set("company_id", "4280001");
    settings.set("api_base_url", "https://api.example/base/");
    settings.set("login_base_url", "https://login.example");
    let start = Timestamp(0).plus(Duration::from_secs(1_795_000_000));
    let session = Session::new(
        settings,
        script.clone(),
        script.clone(),
        Arc::new(Facts::default()),
        Clock::by_hand(start),
    );
    (session, script)
}
