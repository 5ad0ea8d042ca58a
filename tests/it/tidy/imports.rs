//! Which rooms and crates a file reaches for, in `use` lines and in paths written out.

use super::source::{Source, is_word};
use super::{ROOMS, words};

/// A room's name beside the rooms it may import.
type Table = [(&'static str, &'static [&'static str])];

pub fn room_named(name: &str) -> bool {
    ROOMS.iter().any(|(room, _)| *room == name)
}

/// Macros that stand at the crate's root by `#[macro_export]`, each with the room that defines it.
pub fn exported_macros(sources: &[Source]) -> Vec<(String, String)> {
    let of = |source: &Source| {
        let room = own_path(&source.path).into_iter().next();
        let defined = source
            .code
            .match_indices("macro_rules! ")
            .filter_map(|(at, mark)| words::identifiers(&source.code[at + mark.len()..]).next());
        defined
            .map(|(_, name)| (name.to_owned(), room.clone().unwrap_or_default()))
            .collect::<Vec<_>>()
    };
    sources.iter().flat_map(of).collect()
}

/// Every path of a file into a room that it may not import.
pub fn forbidden_rooms(source: &Source, table: &Table, macros: &[(String, String)]) -> Vec<String> {
    let own = own_path(&source.path);
    let own_room = own.first().map(String::as_str).unwrap_or("lib");
    // The program's entry knows the library from outside, and of it the wiring room alone.
    let (own_room, allowed): (&str, &[&str]) = match source.path.as_str() {
        "src/main.rs" => ("main", &["app"]),
        _ => match table.iter().find(|(room, _)| *room == own_room) {
            Some((room, allowed)) => (room, allowed),
            None => (own_room, &["*"]),
        },
    };
    paths(&source.code, &own)
        .into_iter()
        .filter(|(_, path)| {
            let named = path.first().map(String::as_str).unwrap_or_default();
            let defining = macros.iter().find(|(name, _)| name == named);
            let room = defining.map_or(named, |(_, room)| room.as_str());
            room != own_room && !allowed.contains(&"*") && !allowed.contains(&room)
        })
        .map(|(at, path)| {
            format!(
                "{}: {own_room} imports {}",
                source.place(at),
                path.join("::")
            )
        })
        .collect()
}

/// Every path of a connector into another system's folder. The list (`mod.rs`) sees them all.
pub fn foreign_systems(source: &Source, systems: &[&str]) -> Vec<String> {
    let own = own_path(&source.path);
    let Some(own_system) = own.get(1) else {
        return Vec::new();
    };
    paths(&source.code, &own)
        .into_iter()
        .filter(|(_, path)| match path.as_slice() {
            [room, system, ..] => {
                room == "connectors" && system != own_system && systems.contains(&system.as_str())
            }
            _ => false,
        })
        .map(|(at, path)| format!("{}: {}", source.place(at), path.join("::")))
        .collect()
}

/// Every use of a crate outside the places it belongs to.
pub fn forbidden_crates(source: &Source, crates: &[(&[&str], &[&str])]) -> Vec<String> {
    words::identifiers(&source.code)
        .filter(|(at, word)| is_path_root(&source.code, *at, word))
        .filter(|(_, word)| {
            crates.iter().any(|(names, places)| {
                names.contains(word) && !places.iter().any(|place| source.path.starts_with(place))
            })
        })
        .map(|(at, word)| format!("{}: `{word}`", source.place(at)))
        .collect()
}

/// Whether a word begins a path: `word::…` or `use word`, but not `other::word::…`.
fn is_path_root(code: &str, at: usize, word: &str) -> bool {
    let (before, after) = (&code[..at], &code[at + word.len()..]);
    let inner = before
        .strip_suffix("::")
        .is_some_and(|rest| rest.bytes().last().is_some_and(is_word));
    !inner && (after.starts_with("::") || before.trim_end().ends_with("use"))
}

/// The module a file is, from the crate's root: `src/store/rows/mod.rs` is `store::rows`.
fn own_path(path: &str) -> Vec<String> {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
    inside
        .split('/')
        .filter(|part| !["mod", "lib", "main"].contains(part))
        .map(str::to_owned)
        .collect()
}

/// Every path of the code that starts at `crate`, at the library's name, or climbs with `super`; each
/// resolved from the crate's root, with nested `use` groups spread out.
fn paths(code: &str, own: &[String]) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut supers_until = 0;
    for (at, word) in words::identifiers(code) {
        if at < supers_until {
            continue;
        }
        let (root, rest) = match word {
            "crate" | "ml_connector" => (Vec::new(), at + word.len()),
            "super" => {
                let climbs = climb(&code[at..]);
                supers_until = at + climbs * "super::".len();
                let kept = own.len().saturating_sub(climbs);
                // `climb` counts a step only with its `::`, which `spread` wants to see again.
                (own[..kept].to_vec(), supers_until.saturating_sub(2).max(at))
            }
            _ => continue,
        };
        if code[rest..].starts_with("::") {
            spread(code, rest + 2, root, &mut found);
        }
    }
    found
}

fn climb(code: &str) -> usize {
    let mut rest = code;
    let mut steps = 0;
    while let Some(after) = rest.strip_prefix("super::") {
        (rest, steps) = (after, steps + 1);
    }
    steps
}

/// Follows one path from `at`, branching at braces, and returns where it ended.
fn spread(
    code: &str,
    at: usize,
    path: Vec<String>,
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let start = at + blanks(&code[at..]);
    if code[start..].starts_with('{') {
        return spread_group(code, start + 1, path, found);
    }
    let length = code[start..].bytes().take_while(|b| is_word(*b)).count();
    let end = start + length;
    let name = &code[start..end];
    let longer = match name {
        "" | "self" => path,
        _ => [path, vec![name.to_owned()]].concat(),
    };
    if length > 0 && code[end..].starts_with("::") {
        return spread(code, end + 2, longer, found);
    }
    found.push((start, longer));
    end
}

fn spread_group(
    code: &str,
    at: usize,
    path: Vec<String>,
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let mut at = at;
    while at < code.len() {
        at += blanks(&code[at..]);
        match code.as_bytes().get(at) {
            Some(b'}') => return at + 1,
            Some(b'{') => at = spread_group(code, at + 1, path.clone(), found),
            Some(byte) if is_word(*byte) => {
                at = spread(code, at, path.clone(), found);
                // `name as other`: the new name is no path.
                let renamed = at + blanks(&code[at..]);
                if code[renamed..].starts_with("as ") {
                    at = renamed + 3;
                    at += code[at..].bytes().take_while(|b| is_word(*b)).count();
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn blanks(code: &str) -> usize {
    code.len() - code.trim_start().len()
}

#[test]
fn paths_are_found_however_they_are_written() {
    let code = "use crate::{domain::money::{self, Money}, store as s};\nfn f(x: crate::web::Page) { super::super::jobs::wake(); super::near() }";
    let own = own_path("src/engine/plan.rs");
    let found: Vec<String> = paths(code, &own)
        .into_iter()
        .map(|(_, p)| p.join("::"))
        .collect();
    assert_eq!(
        found,
        [
            "domain::money",
            "domain::money::Money",
            "store",
            "web::Page",
            "jobs::wake",
            "engine::near"
        ]
    );
}

#[test]
fn an_import_against_the_table_is_an_offence() {
    let cases = [
        ("src/engine/plan.rs", "use crate::domain::Money;", 0),
        ("src/engine/plan.rs", "use crate::connectors::kit;", 1),
        (
            "src/web/pairs.rs",
            "use crate::{contract::Port, desk, domain};",
            1,
        ),
        ("src/domain/plan.rs", "use super::super::store::Scope;", 1),
        ("src/engine/plan.rs", "use crate::ids;", 0),
        ("src/contract/port.rs", "use crate::nowhere;", 1),
        ("src/app/boot.rs", "use crate::connectors;", 0),
        ("src/main.rs", "ml_connector::engine::run()", 1),
        ("src/web/pairs.rs", "#[cfg(test)] use crate::sandbox;", 0),
    ];
    let defining = Source::new("src/domain/ids.rs", "macro_rules! ids { () => {} }");
    let macros = exported_macros(&[defining]);
    for (path, code, offences) in cases {
        let found = forbidden_rooms(&Source::new(path, code), ROOMS, &macros);
        assert_eq!(found.len(), offences, "{path}: {code}: {found:?}");
    }
}

#[test]
fn connectors_and_crates_are_told_apart() {
    let source = Source::new(
        "src/connectors/procore/order.rs",
        "use super::super::infor_m3; use crate::connectors::{kit, procore};",
    );
    assert_eq!(foreign_systems(&source, &["procore", "infor_m3"]).len(), 1);
    let source = Source::new(
        "src/engine/run.rs",
        "use reqwest; fn f() { reqwest::get(); self.reqwest; kit::reqwest::x() }",
    );
    assert_eq!(
        forbidden_crates(&source, &[(&["reqwest"], &["src/connectors/kit"])]).len(),
        2
    );
}
