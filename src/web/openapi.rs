//! The OpenAPI document, made from the table of routes and the schemas of what they take and give.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use askama::Template;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, HttpMethod, InfoBuilder, OpenApiBuilder, OpenApiVersion, PathItem,
    PathsBuilder, RefOr, Required, Response, ResponseBuilder, Schema,
};

use super::doc::{Doc, Schemas, of};
use super::page::{self, Answer, Guest, Shell};
use super::problem::ProblemBody;
use super::routes::{Door, Needs, ROUTES, Route, Verb};

const BEARER: &str = "token";
const JSON: &str = "application/json";

/// The document as text.
#[must_use]
pub fn openapi() -> String {
    let mut schemas = Schemas::new();
    let problem = of::<ProblemBody>(&mut schemas);
    let mut paths: BTreeMap<&str, PathItem> = BTreeMap::new();
    for (route, doc) in documented() {
        let operation = operation(route, doc, &mut schemas, &problem);
        let item = PathItem::new(method(route.verb), operation);
        match paths.get_mut(route.path) {
            Some(known) => known.merge_operations(item),
            None => {
                paths.insert(route.path, item);
            }
        }
    }
    let paths = paths
        .into_iter()
        .fold(PathsBuilder::new(), |all, (path, item)| {
            all.path(path, item)
        });
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme(BEARER, bearer)
        .build();
    let info = InfoBuilder::new()
        .title("ml-connector")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Connections, pairs, mappings, records, runs and the audit trail. Every failure is answered \
             as application/problem+json.",
        ));
    let document = OpenApiBuilder::new()
        .openapi(OpenApiVersion::Version31)
        .info(info)
        .paths(paths)
        .components(Some(components))
        .build();
    document.to_pretty_json().unwrap_or_default()
}

fn documented() -> impl Iterator<Item = (&'static Route, &'static Doc)> {
    let told = |route: &'static Route| route.doc.as_ref().map(|doc| (route, doc));
    ROUTES
        .iter()
        .filter(|route| route.door == Door::Api)
        .filter_map(told)
}

fn method(verb: Verb) -> HttpMethod {
    match verb {
        Verb::Get => HttpMethod::Get,
        Verb::Post => HttpMethod::Post,
        Verb::Put => HttpMethod::Put,
        Verb::Patch => HttpMethod::Patch,
        Verb::Delete => HttpMethod::Delete,
    }
}

fn operation(
    route: &Route,
    doc: &Doc,
    schemas: &mut Schemas,
    problem: &RefOr<Schema>,
) -> OperationBuilder {
    let mut operation = OperationBuilder::new()
        .summary(Some(doc.summary))
        .description(right(route))
        .operation_id(Some(operation_id(route)))
        .tag(tag(route.path))
        .security(SecurityRequirement::new(BEARER, Vec::<String>::new()));
    for name in path_names(route.path) {
        operation = operation.parameter(parameter(name, ParameterIn::Path, "", true));
    }
    if doc.is_paged {
        operation = operation
            .parameter(parameter(
                "limit",
                ParameterIn::Query,
                "1 to 200, 50 by default",
                false,
            ))
            .parameter(parameter(
                "cursor",
                ParameterIn::Query,
                "`next_cursor` of the page before",
                false,
            ));
    }
    for (name, says) in doc.query {
        operation = operation.parameter(parameter(name, ParameterIn::Query, says, false));
    }
    if route.creates {
        let says = "Sent again within 24 h, the request is answered as before";
        operation = operation.parameter(parameter(
            "Idempotency-Key",
            ParameterIn::Header,
            says,
            false,
        ));
    }
    if let Some(shape) = doc.takes {
        let content = ContentBuilder::new().schema(Some(shape(schemas))).build();
        let body = RequestBodyBuilder::new()
            .content(JSON, content)
            .required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    let done = match doc.gives {
        Some(shape) => {
            let content = ContentBuilder::new().schema(Some(shape(schemas))).build();
            ResponseBuilder::new()
                .description("Done")
                .content(JSON, content)
        }
        None => ResponseBuilder::new().description("Done"),
    };
    operation
        .response(doc.status.to_string(), done.build())
        .response("default", failure(problem))
}

fn failure(problem: &RefOr<Schema>) -> Response {
    let content = ContentBuilder::new().schema(Some(problem.clone())).build();
    ResponseBuilder::new()
        .description("Not done")
        .content("application/problem+json", content)
        .build()
}

fn parameter(name: &str, place: ParameterIn, says: &str, required: bool) -> ParameterBuilder {
    let says = Some(says).filter(|says| !says.is_empty());
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(if required {
            Required::True
        } else {
            Required::False
        })
        .description(says)
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
}

fn right(route: &Route) -> Option<String> {
    match route.needs {
        Needs::Scope(scope) => Some(format!("Needs the scope `{scope}`.")),
        Needs::OneOf(scopes) => {
            let words: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
            Some(format!(
                "Needs the scope {}, by the act.",
                words.join(" or ")
            ))
        }
        Needs::Nobody | Needs::Anybody => None,
    }
}

/// The words between braces.
fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn tag(path: &str) -> &str {
    path.trim_start_matches("/api/v1/")
        .split('/')
        .next()
        .unwrap_or("")
}

fn operation_id(route: &Route) -> String {
    let words: Vec<String> = route
        .path
        .trim_start_matches("/api/v1/")
        .split('/')
        .map(|part| match part.strip_prefix('{') {
            Some(name) => format!("by_{}", name.trim_end_matches('}')),
            None => part.replace('-', "_"),
        })
        .collect();
    let verb = route.verb.as_str().to_ascii_lowercase();
    format!("{verb}_{}", words.join("_"))
}

/// `GET /api/openapi.json`.
pub async fn document() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-cache"))
        .content_type(JSON)
        .body(openapi())
}

#[derive(Template)]
#[template(path = "api.html")]
struct ApiPage {
    shell: Shell,
    lines: Vec<Line>,
}

struct Line {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    scope: String,
}

/// `GET /api`: the same for people.
///
/// # Errors
/// When the page cannot be drawn.
pub async fn page(guest: Guest) -> Answer {
    let lines = documented().map(|(route, doc)| Line {
        method: route.verb.as_str(),
        path: route.path,
        summary: doc.summary,
        scope: match route.needs {
            Needs::Scope(scope) => scope.as_str().to_owned(),
            Needs::OneOf(scopes) => {
                let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
                words.join(" or ")
            }
            Needs::Nobody | Needs::Anybody => "any".to_owned(),
        },
    });
    page::show(&ApiPage {
        shell: guest.shell(),
        lines: lines.collect(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn document() -> Value {
        serde_json::from_str(&openapi()).unwrap()
    }

    #[test]
    fn every_route_of_the_api_is_told() {
        let document = document();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        for route in ROUTES.iter().filter(|route| route.door == Door::Api) {
            let verb = route.verb.as_str().to_ascii_lowercase();
            assert!(
                document["paths"][route.path][&verb].is_object(),
                "{verb} {}",
                route.path
            );
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let mut open = vec![&document];
        let mut seen = 0;
        while let Some(value) = open.pop() {
            match value {
                Value::Object(object) => {
                    if let Some(to) = object.get("$ref").and_then(Value::as_str) {
                        let name = to.rsplit('/').next().unwrap();
                        assert!(document["components"]["schemas"][name].is_object(), "{to}");
                        seen += 1;
                    }
                    open.extend(object.values());
                }
                Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
        assert!(seen > 3);
    }
}
