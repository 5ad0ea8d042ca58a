//! The answer to a POST whose first answer never arrived: what it made, as it is now.

use actix_web::http::StatusCode;

use super::call::{Answer, Call, accepted, ok};
use super::runs::Started;
use super::tokens::Token;
use super::{connections, pairs};
use crate::desk::token;
use crate::web::id::{Id, Named};
use crate::web::problem::Problem;

/// Answers as the first time, by the kind and id of what was made; what is shown once only is not shown again.
///
/// # Errors
/// `missing` when it is gone by now.
pub async fn again(call: Call, kind: &str, id: &str) -> Answer {
    let mut answer = match kind {
        "connection" => connections::show(call, named(id)?).await?,
        "pair" => pairs::show(call, named(id)?).await?,
        "token" => {
            let token = named(id)?;
            ok(&Token::from(
                token::find(call.desk(), &call.caller, token.0).await?,
            ))?
        }
        _ => return accepted(&Started { id: id.to_owned() }),
    };
    *answer.status_mut() = StatusCode::CREATED;
    Ok(answer)
}

fn named<T: Named>(id: &str) -> Result<Id<T>, Problem> {
    id.parse().map(Id).map_err(|_| Problem::missing(T::WHAT))
}
