//! What calls carry: ids in the query or the body, and objects in their wrappers.

use serde_json::Value;

use super::refuse;
use super::shape;
use super::world::{Fields, World};
use crate::sandbox::kit::{Call, Reply};

/// The body as an object; an absent body is an empty one.
pub(super) fn object(call: &Call) -> Result<Fields, Reply> {
    match call.json() {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(Value::Null) => Ok(Fields::new()),
        _ => Err(refuse::bad_request("base", "The body is not a JSON object")),
    }
}

/// The object inside its wrapper, e.g. `{"vendor":{…}}`.
pub(super) fn wrapped(call: &Call, wrapper: &str) -> Result<Fields, Reply> {
    match object(call)?.remove(wrapper) {
        Some(Value::Object(fields)) => Ok(fields),
        _ => Err(refuse::bad_request(
            wrapper,
            "param is missing or the value is empty",
        )),
    }
}

/// An id that the vendor wants in the query of reads and in the body of writes.
pub(super) fn required_id(call: &Call, name: &str) -> Result<i64, Reply> {
    let in_query = call.query(name).and_then(|text| text.parse().ok());
    let in_body = || object(call).ok()?.get(name).and_then(shape::id);
    let found = in_query.or_else(in_body);
    found.ok_or_else(|| refuse::bad_request(name, "is missing"))
}

/// The project a call is about, if the caller may see it.
pub(super) fn project_id(world: &World, call: &Call) -> Result<i64, Reply> {
    let id = required_id(call, "project_id")?;
    let project = world.project(id).ok_or_else(refuse::not_found)?;
    Ok(project.id)
}

/// An id in the path; no number is no such thing.
pub(super) fn path_id(text: &str) -> Result<i64, Reply> {
    text.parse().map_err(|_| refuse::not_found())
}

/// The fields of a list by name, null where unset.
pub(super) fn picked(fields: &Fields, names: &[&str]) -> Fields {
    let pick = |name: &&str| {
        let value = fields.get(*name).cloned().unwrap_or(Value::Null);
        ((*name).to_owned(), value)
    };
    names.iter().map(pick).collect()
}

/// Copies what a caller may write and leaves the rest unsaid, as the vendor does.
pub(super) fn write(target: &mut Fields, given: &Fields, names: &[&str]) {
    let known = given
        .iter()
        .filter(|(name, _)| names.contains(&name.as_str()));
    target.extend(known.map(|(name, value)| (name.clone(), value.clone())));
}

pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str)
}
