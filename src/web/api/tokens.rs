//! API tokens over the API.

use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Answer, Call, created, nothing, ok, text};
use super::given::Given;
use crate::desk::token::{self, NewToken};
use crate::domain::fault::Issue;
use crate::domain::ids::TokenId;
use crate::domain::member::Scope;
use crate::domain::token::ApiToken;
use crate::web::id::Id;
use crate::web::idempotency::Kept;
use crate::web::problem::Problem;

/// One API token. Its text is never shown again.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Token {
    pub id: String,
    pub name: String,
    pub scopes: Vec<&'static str>,
    pub created_at: String,
    pub expires_at: String,
    pub last_used_at: Option<String>,
}

impl From<ApiToken> for Token {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name,
            scopes: token.scopes.iter().map(|scope| scope.as_str()).collect(),
            created_at: token.created_at.to_string(),
            expires_at: token.expires_at.to_string(),
            last_used_at: token.last_used_at.map(|at| at.to_string()),
        }
    }
}

/// A token just made, with its text.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeToken {
    #[serde(flatten)]
    pub about: Token,
    /// Shown this once.
    pub token: String,
}

/// A token to be made.
#[derive(Debug, ToSchema)]
pub struct NewTokenBody {
    /// What it is for.
    pub name: String,
    /// `read`, `operate`, `approve`, `admin`: at most what you have yourself.
    pub scopes: Vec<String>,
    /// 365 by default.
    pub expires_in_days: Option<u32>,
}

impl NewTokenBody {
    fn read(mut given: Given) -> Result<Self, Problem> {
        let body = Self {
            name: given.needed("name", "Name what the token is for."),
            scopes: given.texts("scopes").unwrap_or_default(),
            expires_in_days: given.number("expires_in_days"),
        };
        given.done().map(|()| body)
    }

    fn parse(self) -> Result<NewToken, Problem> {
        let scopes: Result<Vec<Scope>, _> = self.scopes.iter().map(|word| word.parse()).collect();
        let scopes = scopes.map_err(|unknown| {
            Problem::invalid(vec![Issue::new("scopes", "unknown", format!("{unknown}."))])
        })?;
        Ok(NewToken {
            name: self.name,
            scopes,
            expires_in_days: self.expires_in_days,
        })
    }
}

/// `GET /api/v1/tokens`.
///
/// # Errors
/// As the desk's.
pub async fn list(call: Call) -> Answer {
    let paging = call.paging()?;
    let found = token::list(
        call.desk(),
        &call.caller,
        paging.before()?,
        paging.one_more(),
    )
    .await?;
    let page = paging.cut(found, |token| token.id.to_string());
    ok(&page.map(Token::from))
}

/// `POST /api/v1/tokens`.
///
/// # Errors
/// As the desk's.
pub async fn create(call: Call) -> Answer {
    let new = NewTokenBody::read(call.given()?)?.parse()?;
    let made = token::create(call.desk(), &call.caller, new).await?;
    let at = format!("/api/v1/tokens/{}", made.token.id);
    let about = Token::from(made.token);
    let kept = Kept(text(&about)?);
    let view = MadeToken {
        about,
        token: made.key.open().clone(),
    };
    let mut answer = created(&at, &view)?;
    answer.extensions_mut().insert(kept);
    Ok(answer)
}

/// `DELETE /api/v1/tokens/{id}`.
///
/// # Errors
/// `missing`.
pub async fn revoke(call: Call, id: Id<TokenId>) -> Answer {
    token::revoke(call.desk(), &call.caller, id.0).await?;
    nothing()
}
