//! Changes to the company that skip the public API: no token, no checks, no ledger.
//!
//! | call, under `/_sandbox/infor_m3/` | body |
//! | --- | --- |
//! | `GET ionapi` | answers the .ionapi file for the address it was asked at |
//! | `GET batches` | answers every batch with its status and the messages M3 mails to people |
//! | `POST batches/release` | works on every batch that waits at status 20 or stands at 23 |
//! | `POST batches/{MSGN}/release` | the same for one |
//! | `POST suppliers/{SUNO}` | fields to set; makes the supplier when there is none |
//! | `POST suppliers/{SUNO}/block`, `…/unblock` | status 90, status 20 |
//! | `POST items/{ITNO}` | fields to set, and `units`, a list; makes the item when there is none |
//! | `POST accounts/{AITP}/{AITM}` | fields to set; `DIVI` left out is the seed's division |
//! | `POST accounts/{AITP}/{AITM}/close`, `…/open` | blocked (LCCD 1), free again |
//! | `DELETE accounts/{AITP}/{AITM}` | there is none any more |
//! | `POST projects/{PROJ}` | `elements`, a list that is added |
//! | `POST orders` | head fields and `lines`, a list of line fields; answers `{"PUNO":…}` |
//! | `POST orders/{PUNO}/lines/{PNLI}` | line fields to set, statuses and received quantity too |
//!
//! These let everything happen that is due; `GET /_sandbox/state` shows what the last call left.
//! Values are texts or numbers under the vendor's field names; unknown names are refused.

use serde_json::{Map, Value, json};

use super::ask::Fields;
use super::batch::{Batch, Status};
use super::catalog;
use super::ionapi::ionapi;
use super::order::{Line, Order};
use super::planting::{identity, insert_account, item};
use super::seed;
use super::shape;
use super::supplier::Supplier;
use super::transfer;
use super::world::{Item, World};
use crate::sandbox::kit::{Call, Reply};

type Told = Result<Value, String>;

pub(super) fn answer(world: &mut World, call: &Call, parts: &[&str]) -> Reply {
    let given = match call.json() {
        Ok(Value::Object(fields)) => fields,
        Ok(Value::Null) => Map::new(),
        _ => return refused("the body is a JSON object"),
    };
    let told = match (call.method.as_str(), parts) {
        ("GET", ["ionapi"]) => {
            let host = call.header("host").unwrap_or_default();
            let text = ionapi(&format!("http://{host}"));
            return Reply::text(200, "application/json", text);
        }
        ("GET", ["batches"]) => Ok(json!({"data": batches(world)})),
        ("POST", ["batches", "release"]) => Ok(release(world, |_| true)),
        ("POST", ["batches", number, "release"]) => {
            Ok(release(world, |batch| batch.number == *number))
        }
        ("POST", ["suppliers", number, "block"]) => set_status(world, number, "90"),
        ("POST", ["suppliers", number, "unblock"]) => set_status(world, number, "20"),
        ("POST", ["suppliers", number]) => set_supplier(world, number, &given),
        ("POST", ["items", number]) => set_item(world, number, &given),
        ("POST", ["accounts", dimension, id]) => set_account(world, (dimension, id), &given),
        ("POST", ["accounts", dimension, id, "close"]) => lock_account(world, (dimension, id), "1"),
        ("POST", ["accounts", dimension, id, "open"]) => lock_account(world, (dimension, id), "0"),
        ("DELETE", ["accounts", dimension, id]) => {
            let before = world.accounts.len();
            world
                .accounts
                .retain(|(_, of, known), _| of != dimension || known != id);
            Ok(json!({"removed": before - world.accounts.len()}))
        }
        ("POST", ["projects", project]) => {
            let elements = texts(&given, "elements");
            let held = world.projects.entry((*project).to_owned()).or_default();
            held.extend(elements);
            Ok(json!({"PROJ": project, "elements": held}))
        }
        ("POST", ["orders"]) => add_order(world, &given),
        ("POST", ["orders", number, "lines", line]) => set_line(world, (number, line), &given),
        _ => return Reply::json(404, &json!({"error": "no such control"})),
    };
    match told {
        Ok(value) => Reply::json(200, &value),
        Err(reason) => refused(&reason),
    }
}

fn refused(reason: &str) -> Reply {
    Reply::json(422, &json!({"error": reason}))
}

fn release(world: &mut World, is_meant: impl Fn(&Batch) -> bool) -> Value {
    let waiting = |batch: &&Batch| matches!(batch.status, Status::Finished | Status::Faulty);
    let meant = world
        .batches
        .all()
        .filter(waiting)
        .filter(|batch| is_meant(batch));
    let numbers: Vec<String> = meant.map(|batch| batch.number.clone()).collect();
    for number in &numbers {
        transfer::work_on(world, number);
    }
    json!({"released": numbers})
}

fn set_status(world: &mut World, number: &str, status: &str) -> Told {
    if world.suppliers.get(number).is_none() {
        return Err(format!("there is no supplier {number}"));
    }
    world.change_supplier(number, |supplier| {
        supplier.fields.insert("STAT", status.to_owned());
    });
    Ok(shown_supplier(world, number))
}

fn set_supplier(world: &mut World, number: &str, given: &Map<String, Value>) -> Told {
    let fields = known(given, "CRS620MI", "UpdSupplier")?;
    let template = world.suppliers.get(seed::SUPPLIER_TEMPLATE);
    let usual = template.map(|held| held.fields.clone()).unwrap_or_default();
    world.change_supplier(number, |supplier| {
        if supplier.fields.is_empty() {
            supplier.fields = usual;
            supplier.fields.insert("SUTY", "0".to_owned());
        }
        supplier.fields.extend(fields);
        supplier.fields.insert("SUNO", number.to_owned());
    });
    Ok(shown_supplier(world, number))
}

fn set_item(world: &mut World, number: &str, given: &Map<String, Value>) -> Told {
    let mut rest = given.clone();
    rest.remove("units");
    let fields = known_outputs(&rest, "MMS200MI", "GetItmBasic")?;
    let held = world
        .items
        .entry(number.to_owned())
        .or_insert_with(|| Item {
            fields: item(number, number, "EA", "20"),
            units: vec!["EA".to_owned()],
        });
    held.fields.extend(fields);
    if given.contains_key("units") {
        held.units = texts(given, "units");
    }
    Ok(json!({"fields": held.fields, "units": held.units}))
}

fn set_account(
    world: &mut World,
    (dimension, id): (&str, &str),
    given: &Map<String, Value>,
) -> Told {
    let fields = known_outputs(given, "CRS630MI", "GetAccountID")?;
    let division = fields
        .get("DIVI")
        .map_or(seed::DIVI, String::as_str)
        .to_owned();
    let held = world.account(&division, dimension, id).cloned();
    let mut account = held.unwrap_or_else(|| identity(&division, dimension, id, id));
    account.extend(fields);
    insert_account(world, account.clone());
    Ok(json!(account))
}

fn lock_account(world: &mut World, (dimension, id): (&str, &str), lock: &str) -> Told {
    let changed = world
        .accounts
        .iter_mut()
        .filter(|((_, of, known), _)| of == dimension && known == id)
        .map(|(_, account)| account.insert("LCCD", lock.to_owned()))
        .count();
    if changed == 0 {
        return Err(format!("there is no value {id} of dimension {dimension}"));
    }
    Ok(json!({"AITP": dimension, "AITM": id, "LCCD": lock}))
}

fn add_order(world: &mut World, given: &Map<String, Value>) -> Told {
    let mut rest = given.clone();
    let lines = rest.remove("lines");
    let head = known(&rest, "PPS370MI", "AddHead")?;
    let mut head = transfer::filled(world, &head);
    let number = world.batches.new_order_number();
    head.insert("PUNO", number.clone());
    let mut made = Order {
        head,
        ..Order::default()
    };
    let lines = lines.as_ref().and_then(Value::as_array);
    for line in lines.into_iter().flatten().filter_map(Value::as_object) {
        let fields = known(line, "PPS370MI", "AddLine")?;
        let next = made.next_line();
        let line = transfer::new_line(world, &made.head, next, &fields);
        made.lines.insert(next, line);
    }
    let now = shape::milliseconds(world.now);
    world.orders.change(&number, now, |order| *order = made);
    transfer::notice(world, &number);
    Ok(json!({"PUNO": number}))
}

fn set_line(world: &mut World, (number, line): (&str, &str), given: &Map<String, Value>) -> Told {
    let fields = known_outputs(given, "PPS200MI", "GetLine")?;
    let order = world.orders.get(number);
    let line_number = line.parse().unwrap_or_default();
    if !order.is_some_and(|order| order.lines.contains_key(&line_number)) {
        return Err(format!("there is no line {line} of order {number}"));
    }
    let now = shape::milliseconds(world.now);
    world.orders.change(number, now, |order| {
        if let Some(line) = order.lines.get_mut(&line_number) {
            line.fields.extend(fields);
        }
    });
    Ok(json!({"PUNO": number, "PNLI": line}))
}

/// Values under names that the transaction takes.
fn known(given: &Map<String, Value>, program: &str, transaction: &str) -> Result<Fields, String> {
    let transaction = catalog::find(program, transaction);
    named(
        given,
        transaction.map_or(&[], |known| known.inputs.as_slice()),
    )
}

/// Values under names that the transaction shows.
fn known_outputs(
    given: &Map<String, Value>,
    program: &str,
    transaction: &str,
) -> Result<Fields, String> {
    let transaction = catalog::find(program, transaction);
    named(
        given,
        transaction.map_or(&[], |known| known.outputs.as_slice()),
    )
}

fn named(given: &Map<String, Value>, fields: &'static [catalog::Field]) -> Result<Fields, String> {
    let pairs = given.iter().map(|(name, value)| {
        let field = fields.iter().find(|field| field.name == name);
        let field = field.ok_or_else(|| format!("there is no field {name}"))?;
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        Ok((field.name, text))
    });
    pairs.collect()
}

fn texts(given: &Map<String, Value>, name: &str) -> Vec<String> {
    let list = given
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Counts, and the objects that a person or a test looks for.
pub(super) fn state(world: &World) -> Value {
    let suppliers: Vec<Value> = world.suppliers.all().map(supplier).collect();
    let orders: Vec<Value> = world.orders.all().map(order).collect();
    json!({
        "counts": {
            "suppliers": world.suppliers.len(),
            "orders": world.orders.len(),
            "batches": world.batches.len(),
            "items": world.items.len(),
            "accounts": world.accounts.len(),
        },
        "suppliers": suppliers,
        "orders": orders,
        "batches": batches(world),
        "emails": world.emails.values().collect::<Vec<_>>(),
        "custom_fields": world.extras.values().collect::<Vec<_>>(),
    })
}

fn shown_supplier(world: &World, number: &str) -> Value {
    world.suppliers.get(number).map_or(Value::Null, supplier)
}

fn supplier(supplier: &Supplier) -> Value {
    let addresses: Vec<&Fields> = supplier.addresses.values().collect();
    json!({"fields": supplier.fields, "addresses": addresses})
}

fn order(order: &Order) -> Value {
    let line = |line: &Line| json!({"fields": line.fields, "coding": line.coding});
    json!({
        "head": order.head,
        "lines": order.lines.values().map(line).collect::<Vec<_>>(),
        "texts": order.texts,
        "addresses": order.addresses,
    })
}

fn batches(world: &World) -> Vec<Value> {
    let shown = |batch: &Batch| {
        json!({
            "MSGN": batch.number,
            "BAOR": batch.origin,
            "status": batch.status.code(),
            "messages": batch.messages,
            "orders": batch.heads.keys().collect::<Vec<_>>(),
        })
    };
    world.batches.all().map(shown).collect()
}
