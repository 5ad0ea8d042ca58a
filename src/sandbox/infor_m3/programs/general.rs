//! GENERAL and AUTCHKMI: who the user is, what time it is, what may be run.

use super::super::ask::{Ask, Outcome};
use super::super::seed;
use super::super::shape;
use super::super::world::World;

/// Assumed: the company's currency and the user's settings; the field names are the vendor's.
pub(super) fn user(world: &World, ask: &Ask) -> Outcome {
    let comma = world.settings.decimal_comma;
    Ok(ask.one(|field| {
        let value = match field {
            "ZZUSID" => seed::USER,
            "ZDCONO" => seed::CONO,
            "ZDDIVI" => seed::DIVI,
            "ZDFACI" => seed::FACILITY,
            "ZZWHLO" => seed::WAREHOUSE,
            "ZDLANC" => "GB",
            "ZDDTFM" => "YMD",
            "DSEP" => {
                if comma {
                    ","
                } else {
                    "."
                }
            }
            "TSEP" => {
                if comma {
                    "."
                } else {
                    ","
                }
            }
            "TIZO" => "UTC",
            "USFN" => "Service user of the connector",
            _ => return None,
        };
        Some(value.to_owned())
    }))
}

pub(super) fn server_time(world: &World, ask: &Ask) -> Outcome {
    Ok(ask.one(|field| match field {
        "DATE" => Some(shape::date(world.now)),
        "TIME" => Some(shape::clock(world.now)),
        "LMTS" => Some(shape::milliseconds(world.now).to_string()),
        _ => None,
    }))
}

/// Assumed: 1 means that the user may, and the name is the screen's (`CRS620`) or the API's.
pub(super) fn authority(world: &World, ask: &Ask) -> Outcome {
    let named = ask.text("APGM");
    let is_withheld = |program: &str| world.settings.is_withheld(program, "");
    let may = !is_withheld(named) && !is_withheld(&format!("{named}MI"));
    Ok(ask.one(|field| (field == "ALPG").then(|| u8::from(may).to_string())))
}
