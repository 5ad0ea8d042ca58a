//! MMS200MI: items.

use super::super::ask::{Ask, Outcome};
use super::super::nok::Nok;
use super::super::world::World;

pub(super) fn get(world: &World, ask: &Ask) -> Outcome {
    let number = ask.text("ITNO");
    let item = world.items.get(number);
    let item = item.ok_or_else(|| Nok::no_item(number))?;
    Ok(ask.stored(&item.fields))
}
