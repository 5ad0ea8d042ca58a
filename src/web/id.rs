//! An id in an address. What is no id at all is answered like an id that nobody has.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::problem::Problem;
use crate::domain::ids::{ConnectionId, PairId, RecordId, RunId, SessionId, TokenId};

/// `{id}` of the route's path.
#[derive(Debug, Clone, Copy)]
pub struct Id<T>(pub T);

/// A kind of thing that an address can name.
pub trait Named: FromStr {
    /// As the answer names it when there is none.
    const WHAT: &'static str;
}

macro_rules! named {
    ($($id:ident => $what:literal),+ $(,)?) => {$(
        impl Named for $id {
            const WHAT: &'static str = $what;
        }
    )+};
}

named! {
    ConnectionId => "connection",
    PairId => "pair",
    RecordId => "record",
    RunId => "run",
    SessionId => "session",
    TokenId => "token",
}

impl<T: Named> FromRequest for Id<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request.match_info().query("id");
        ready(
            text.parse()
                .map(Self)
                .map_err(|_| Problem::missing(T::WHAT)),
        )
    }
}
