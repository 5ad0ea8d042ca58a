//! The frame around every page, and who looks at it.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::flash::Flash;
use crate::desk::Desk;
use crate::desk::session::Session;
use crate::domain::clock::Timestamp;
use crate::domain::member::{Caller, Origin, Role, Scope};
use crate::web::cookie;
use crate::web::fields::Fields;
use crate::web::gate::Admitted;
use crate::web::problem::Problem;
use crate::web::site::{SharedSite, Site};

/// What `layout.html` reads.
#[derive(Debug, Clone)]
pub struct Shell {
    pub csrf: String,
    pub signed_in: Option<SignedIn>,
    /// The current item of the navigation.
    pub here: &'static str,
    pub theme: &'static str,
    pub flash: Option<Flash>,
    pub product_version: &'static str,
    /// Passwords cross a network in clear.
    pub exposed: bool,
}

#[derive(Debug, Clone)]
pub struct SignedIn {
    pub member: String,
    pub tenant: String,
    pub role: &'static str,
    /// May look after connections, pairs and tokens.
    pub is_admin: bool,
}

impl Shell {
    /// The frame for whoever sent the request.
    #[must_use]
    pub fn of(request: &HttpRequest, site: &Site, here: &'static str) -> Self {
        // Cookies are parsed into the extensions: before those are borrowed.
        let (theme, flash) = (cookie::theme(request), Flash::read(request, site));
        let extensions = request.extensions();
        let admitted = extensions.get::<Admitted>();
        let caller = admitted.and_then(|admitted| admitted.session.as_ref());
        Self {
            csrf: admitted.map_or_else(String::new, |admitted| admitted.form_token.clone()),
            signed_in: caller.map(|session| SignedIn {
                member: session.caller.actor.name.clone(),
                tenant: session.caller.tenant_name.clone(),
                role: role_title(session.caller.role),
                is_admin: session.caller.may(Scope::Admin),
            }),
            here,
            theme,
            flash,
            product_version: env!("CARGO_PKG_VERSION"),
            exposed: site.is_exposed(),
        }
    }
}

/// A role as people read it.
#[must_use]
pub fn role_title(role: Role) -> &'static str {
    match role {
        Role::Owner => "Owner",
        Role::Admin => "Administrator",
        Role::Operator => "Operator",
        Role::Viewer => "Viewer",
    }
}

/// A request to a page that anybody may open.
pub struct Guest {
    pub site: SharedSite,
    pub origin: Origin,
    /// Whoever is signed in all the same.
    pub session: Option<Session>,
    pub fields: Fields,
    pub query: Fields,
    shell: Shell,
}

impl Guest {
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.site.desk
    }

    #[must_use]
    pub fn shell(&self) -> Shell {
        self.shell.clone()
    }
}

/// A request to a page by somebody who is signed in and may do what the route says.
pub struct Visit {
    pub site: SharedSite,
    pub session: Session,
    pub fields: Fields,
    pub query: Fields,
    shell: Shell,
}

impl Visit {
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.site.desk
    }

    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.session.caller
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.site.desk.store().clock().now()
    }

    /// The frame with this item of the navigation marked.
    #[must_use]
    pub fn shell(&self, here: &'static str) -> Shell {
        Shell {
            here,
            ..self.shell.clone()
        }
    }
}

impl FromRequest for Visit {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(visit(request))
    }
}

fn visit(request: &HttpRequest) -> Result<Visit, Problem> {
    let site = site(request)?;
    let shell = Shell::of(request, &site, "");
    let mut extensions = request.extensions_mut();
    let admitted = extensions.get_mut::<Admitted>().ok_or_else(Problem::ours)?;
    let session = admitted.session.clone().ok_or_else(Problem::ours)?;
    Ok(Visit {
        site,
        session,
        fields: std::mem::take(&mut admitted.fields),
        query: admitted.query.clone(),
        shell,
    })
}

impl FromRequest for Guest {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(guest(request))
    }
}

fn guest(request: &HttpRequest) -> Result<Guest, Problem> {
    let site = site(request)?;
    let shell = Shell::of(request, &site, "");
    let mut extensions = request.extensions_mut();
    let admitted = extensions.get_mut::<Admitted>().ok_or_else(Problem::ours)?;
    Ok(Guest {
        site,
        origin: admitted.origin.clone(),
        session: admitted.session.clone(),
        fields: std::mem::take(&mut admitted.fields),
        query: admitted.query.clone(),
        shell,
    })
}

/// The shared site of a request.
///
/// # Errors
/// `ours`, when the server was set up without it.
pub fn site(request: &HttpRequest) -> Result<SharedSite, Problem> {
    let data = request.app_data::<Data<SharedSite>>();
    let site = data.map(|data| SharedSite::clone(data.get_ref()));
    site.ok_or_else(Problem::ours)
}
