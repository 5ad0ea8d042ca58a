//! Webhooks: how a system tells of changes, and how it is asked to.

use super::session::Session;
use super::wire::Answer;
use crate::domain::secret::Secret;
use crate::domain::system::Entity;

/// What a delivery says. Nothing of it is business data: it only tells what to read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The sender's own id of the delivery.
    pub sender_id: Option<String>,
    /// Whose it is (a company), where it says so.
    pub owner: Option<String>,
    /// As the sender names the kind of thing that changed.
    pub resource: String,
    pub resource_id: String,
    pub event: String,
    /// Who changed it.
    pub user: Option<String>,
    pub subject: Subject,
}

/// The record that may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub entity: Entity,
    /// The source's key; none: some record of the project.
    pub id: Option<String>,
    /// Where a record that nobody saw before would be read.
    pub place: String,
    pub project: Option<String>,
}

/// Why a body cannot be taken as news.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotNews(pub &'static str);

/// How a hook should stand.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Ours, unguessable.
    pub url: &'a str,
    /// What the sender puts into its `Authorization` header.
    pub authorization: &'a Secret<String>,
    /// The header is told anew even where it looks right.
    pub tell_again: bool,
    /// What is to be heard of.
    pub entities: &'a [Entity],
}

/// How a hook stands now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    pub hook_id: String,
    /// Names of what is heard of.
    pub resources: Vec<String>,
    /// Entities that the system tells nothing of.
    pub unheard: Vec<Entity>,
    /// What had to be mended, in words; empty when everything stood as it should.
    pub mended: Vec<String>,
    /// The user in whose name we work there.
    pub own_user: Option<String>,
}

/// A system that tells of changes.
pub trait Hooks: Send + Sync {
    /// Reads a delivery. Pure and quick: it is called for everything that comes in.
    ///
    /// # Errors
    /// Why it is none.
    fn read(&self, body: &[u8]) -> Result<News, NotNews>;

    /// Whose deliveries a connection takes, as [`News::owner`] says it.
    fn owner(&self, settings: &crate::domain::connection::Settings) -> String;

    /// Sees to it that exactly one hook of ours stands as wanted: found by its address before one is made,
    /// and mended where it differs.
    fn settle<'a>(&'a self, session: &'a Session, wanted: &'a Wanted<'a>) -> Answer<'a, Standing>;

    /// Takes every hook of ours with this address away. Well also when there is none.
    fn remove<'a>(&'a self, session: &'a Session, url: &'a str) -> Answer<'a, ()>;

    /// Bodies of deliveries that never reached us, newest first, a bounded number.
    fn missed<'a>(&'a self, session: &'a Session, hook_id: &'a str) -> Answer<'a, Vec<Vec<u8>>>;

    /// Whether hooks may be made with these credentials, in words for the test of a connection.
    fn may<'a>(&'a self, session: &'a Session) -> Answer<'a, String>;
}
