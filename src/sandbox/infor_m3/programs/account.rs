//! CRS630MI: accounts and the other accounting dimensions. Read only, as with the vendor.
//!
//! Source: CRS630MI field lists, read 2026-11-22: AITP 1 is the account; company-wide identities
//! have a blank division. Assumed: an input left out is the division of the call, else of the
//! user, and no other division is looked in.

use std::ops::Bound;

use super::super::ask::{Ask, Outcome};
use super::super::nok::Nok;
use super::super::seed;
use super::super::world::World;

pub(super) fn answer(world: &World, ask: &Ask, name: &str) -> Outcome {
    let division = match &ask.division {
        _ if ask.has("DIVI") => ask.text("DIVI"),
        Some(division) => division,
        None => seed::DIVI,
    };
    let (dimension, id) = (ask.text("AITP"), ask.text("AITM"));
    if name == "GetAccountID" {
        let account = world.account(division, dimension, id);
        return Ok(ask.stored(account.ok_or_else(|| Nok::no_record("AITM"))?));
    }
    let start = (division.to_owned(), dimension.to_owned(), id.to_owned());
    let from = world
        .accounts
        .range((Bound::Included(start), Bound::Unbounded));
    let same = from.take_while(|((of, kind, _), _)| of == division && kind == dimension);
    Ok(ask.list(same, |(_, account), field| account.get(field).cloned()))
}
