//! Creating, updating, and both in bulk: one set of rules for every resource.
//!
//! Source: Procore sync tutorial, read 2026-11-22: always 200, an entity or an error per item;
//! no id and no origin id creates, an id updates or fails, an origin id alone updates what has it
//! or creates, and with both the id finds and the origin id is rewritten.

use serde_json::{Value, json};

use super::body;
use super::refuse::{self, Errors, Outcome, wrong};
use super::shape;
use super::world::{Fields, World};
use crate::sandbox::kit::{Call, Reply, Wrote};

/// Source: the official Ruby SDK, read 2026-11-22.
const UPDATES_MAX: usize = 1000;

/// One kind of object, in one place (a company, a project, a contract).
pub(super) trait Resource {
    fn has(&self, world: &World, id: i64) -> bool;
    fn by_origin(&self, world: &World, origin_id: &str) -> Option<i64>;
    fn create(&self, world: &mut World, given: &Fields) -> Result<i64, Errors>;
    fn update(&self, world: &mut World, id: i64, given: &Fields) -> Result<(), Errors>;
    fn show(&self, world: &World, id: i64) -> Value;
}

pub(super) fn create(world: &mut World, resource: &impl Resource, given: &Fields) -> Outcome {
    let id = resource.create(world, given).map_err(refuse::invalid)?;
    Ok(Reply::json(201, &resource.show(world, id)).wrote(id))
}

pub(super) fn update(
    world: &mut World,
    resource: &impl Resource,
    id: i64,
    given: &Fields,
) -> Outcome {
    if !resource.has(world, id) {
        return Err(refuse::not_found());
    }
    resource.update(world, id, given).map_err(refuse::invalid)?;
    Ok(Reply::json(200, &resource.show(world, id)).wrote(id))
}

pub(super) fn sync(world: &mut World, resource: &impl Resource, call: &Call) -> Outcome {
    let mut body = body::object(call)?;
    let Some(Value::Array(updates)) = body.remove("updates") else {
        return Err(refuse::bad_request("updates", "is missing"));
    };
    if updates.len() > UPDATES_MAX {
        return Err(refuse::too_many_updates());
    }
    let (mut entities, mut errors, mut wrote) = (Vec::new(), Vec::new(), Vec::new());
    for item in updates {
        let Value::Object(given) = item else {
            errors.push(json!({"errors": {"base": ["is not an object"]}}));
            continue;
        };
        match upsert(world, resource, &given) {
            Ok(id) => {
                entities.push(resource.show(world, id));
                wrote.push(Wrote {
                    key: id.to_string(),
                    request: Some(Value::Object(given)),
                    operation: None,
                });
            }
            Err(reasons) => {
                let mut refused = given;
                refused.insert("errors".to_owned(), Value::Object(reasons));
                errors.push(Value::Object(refused));
            }
        }
    }
    let mut reply = Reply::json(200, &json!({"entities": entities, "errors": errors}));
    reply.wrote = wrote;
    Ok(reply)
}

fn upsert(world: &mut World, resource: &impl Resource, given: &Fields) -> Result<i64, Errors> {
    let by_id = given.get("id").filter(|id| !id.is_null());
    let found = match by_id {
        Some(id) => {
            let known = shape::id(id).filter(|id| resource.has(world, *id));
            Some(known.ok_or_else(|| wrong("id", "Entity with this ID not found"))?)
        }
        None => body::text(given, "origin_id").and_then(|origin| resource.by_origin(world, origin)),
    };
    match found {
        Some(id) => resource.update(world, id, given).map(|()| id),
        None => resource.create(world, given),
    }
}
