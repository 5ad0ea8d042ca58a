//! The laws of the house, kept by reading the source. Each test lists every offence with its place,
//! and says what to do instead. The tables on top are the law: change them knowingly, in a commit that
//! says why.

mod dependencies;
mod imports;
mod source;
mod words;

use source::{Source, files_under, report, rust_files};

/// Every room of `src`, and the rooms it may import besides itself. `*`: all of them.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("contract", &["domain"]),
    ("connectors", &["contract", "domain"]),
    ("flows", &["contract", "domain"]),
    ("pairs", &["flows", "contract", "domain"]),
    ("sandbox", &["domain"]),
    ("audit", &["domain"]),
    ("vault", &["domain"]),
    ("store", &["audit", "domain"]),
    ("engine", &["flows", "contract", "store", "vault", "domain"]),
    ("desk", &["engine", "store", "vault", "audit", "domain"]),
    ("jobs", &["engine", "store", "domain"]),
    ("web", &["desk", "engine", "store", "domain"]),
    ("app", &["*"]),
];

/// Crates that only some places may name. A place is the beginning of a path.
const CRATES: &[(&[&str], &[&str])] = &[
    (
        &["actix_web", "actix_http", "actix_rt"],
        &["src/web/", "src/sandbox/", "src/app/"],
    ),
    (&["askama"], &["src/web/"]),
    (
        &["reqwest"],
        &["src/connectors/kit", "src/sandbox/", "src/jobs/notify"],
    ),
    (
        &["sea_orm", "sea_orm_migration", "sqlx"],
        &["src/store/", "migrations/"],
    ),
    (&["migrations"], &["src/store/"]),
    (
        &["apalis", "apalis_postgres", "apalis_sqlite"],
        &["src/jobs/", "src/store/outbox", "src/app/"],
    ),
    (&["aes_gcm"], &["src/vault/"]),
    (&["clap", "figment"], &["src/app/", "src/main.rs"]),
    (&["anyhow"], &["src/app/", "src/main.rs"]),
];

/// What `domain` may not mention: it is true without a network, a database or a wire format.
const DOMAIN_WITHOUT: &[&str] = &[
    "async",
    "await",
    "tokio",
    "sea_orm",
    "reqwest",
    "actix_web",
    "serde_json",
];

/// Words that name a vendor, each with the connector folder that may use it.
const VENDOR_WORDS: &[(&str, &str)] = &[
    ("procore", "procore"),
    ("procoregov", "procore"),
    ("infor", "infor_m3"),
    ("inforcloudsuite", "infor_m3"),
    ("m3", "infor_m3"),
    ("ifs", "ifs_cloud"),
];

/// Where every vendor may be named: the front page of the documentation, the list, the pairs, the
/// simulators, and the few places where the public contract itself names one.
const VENDORS_SPARED: &[&str] = &[
    "src/lib.rs",
    "src/connectors/mod.rs",
    "src/pairs/",
    "src/sandbox/",
    // The two sides of a mapping row are named so in the contract.
    "src/domain/mapping.rs",
    "src/web/api/pairs.rs",
    "src/web/api/mappings.rs",
    "src/web/api/suggestions.rs",
    "src/app/cli.rs",
    "src/app/demo",
    "src/app/sandboxes.rs",
];

/// File and folder names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &[
    "utils", "util", "common", "helpers", "helper", "types", "prelude", "misc",
];

/// Marks of unfinished work. Joined here so that this file does not find itself.
const UNFINISHED: &[&str] = &[
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
    concat!("#[ig", "nore"),
];

/// Files of `store` whose functions need no [`Scope`]: they run before a tenant is known, for no
/// tenant, or make the scope.
const STORE_WITHOUT_SCOPE: &[&str] = &[
    "src/store/chain.rs",
    "src/store/kept.rs",
    "src/store/key_rotation.rs",
    "src/store/mod.rs",
    "src/store/migrate.rs",
    "src/store/node.rs",
    "src/store/outbox.rs",
    "src/store/scope.rs",
    "src/store/threshold.rs",
];

#[test]
fn rooms_are_the_ones_we_know() {
    let known = |path: &str| {
        let room = path.split('/').nth(1).unwrap_or_default();
        ["lib.rs", "main.rs"].contains(&room) || imports::room_named(room.trim_end_matches(".rs"))
    };
    let strangers = rust_files("src").into_iter().filter(|s| !known(&s.path));
    report(
        "src holds the rooms of the table and nothing else",
        strangers.map(|s| s.path).collect(),
    );
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let sources = rust_files("src");
    let macros = imports::exported_macros(&sources);
    let offences = sources
        .iter()
        .flat_map(|s| imports::forbidden_rooms(s, ROOMS, &macros))
        .collect();
    report(
        "a room imports only the rooms below it (ROOMS in tests/it/tidy.rs)",
        offences,
    );
}

#[test]
fn connectors_do_not_know_each_other() {
    let sources = rust_files("src/connectors");
    let systems: Vec<&str> = VENDOR_WORDS.iter().map(|(_, folder)| *folder).collect();
    let offences = sources
        .iter()
        .flat_map(|s| imports::foreign_systems(s, &systems))
        .collect();
    report(
        "a connector imports neither another connector nor the list",
        offences,
    );
}

#[test]
fn crates_stay_in_their_rooms() {
    let sources = [rust_files("src"), rust_files("migrations")].concat();
    let offences = sources
        .iter()
        .flat_map(|s| imports::forbidden_crates(s, CRATES))
        .collect();
    report(
        "a crate is used only where the table says (CRATES in tests/it/tidy.rs)",
        offences,
    );
}

#[test]
fn domain_is_plain() {
    let mentions = |source: &Source| {
        words::identifiers(&source.code)
            .filter(|(_, word)| DOMAIN_WITHOUT.contains(word))
            .map(|(at, word)| format!("{}: `{word}`", source.place(at)))
            .collect::<Vec<_>>()
    };
    let offences = rust_files("src/domain").iter().flat_map(mentions).collect();
    report("domain knows no async, I/O, framework or format", offences);
}

#[test]
fn vendors_are_named_only_at_home() {
    let sources = [rust_files("src"), rust_files("migrations")].concat();
    let offences = sources
        .iter()
        .filter(|s| {
            !VENDORS_SPARED
                .iter()
                .any(|spared| s.path.starts_with(spared))
        })
        .flat_map(vendor_words)
        .collect();
    report(
        "a vendor is named only in its own connector and the spared places (VENDORS_SPARED in tests/it/tidy.rs)",
        offences,
    );
}

fn vendor_words(source: &Source) -> Vec<String> {
    let home = source
        .path
        .strip_prefix("src/connectors/")
        .and_then(|rest| rest.split('/').next());
    words::parts(&source.product)
        .filter(|(_, word)| {
            VENDOR_WORDS
                .iter()
                .any(|(vendor, folder)| vendor == word && Some(*folder) != home)
        })
        .map(|(at, word)| format!("{}: `{word}`", source.place(at)))
        .collect()
}

#[test]
fn every_file_opens_with_what_it_is() {
    let sources = [
        rust_files("src"),
        rust_files("migrations"),
        rust_files("tests"),
    ]
    .concat();
    // The crate's two roots are no room's: the library's documentation is the map, taken in whole.
    let is_root = |s: &Source| ["src/lib.rs", "src/main.rs"].contains(&s.path.as_str());
    let offences = sources
        .into_iter()
        .filter(|s| !is_root(s) && !s.text.starts_with("//!"))
        .map(|s| s.path)
        .collect();
    report("every file opens with `//!`", offences);
}

#[test]
fn names_say_what_is_inside() {
    let says_nothing = |source: &Source| {
        source
            .path
            .split('/')
            .any(|part| EMPTY_NAMES.contains(&part.trim_end_matches(".rs")))
    };
    let sources = [rust_files("src"), rust_files("migrations")].concat();
    let offences = sources
        .into_iter()
        .filter(says_nothing)
        .map(|s| s.path)
        .collect();
    report("a file is named after the noun or verb it holds", offences);
}

#[test]
fn numbers_are_exact() {
    let floats = |source: &Source| {
        words::identifiers(&source.code)
            .filter(|(_, word)| ["f32", "f64"].contains(word))
            .map(|(at, word)| format!("{}: `{word}`", source.place(at)))
            .collect::<Vec<_>>()
    };
    let offences = rust_files("src").iter().flat_map(floats).collect();
    report("money and quantities are decimals, never floats", offences);
}

#[test]
fn every_page_has_its_template_and_every_template_its_page() {
    let templates = files_under("templates", "html");
    let named: Vec<(String, String)> = rust_files("src")
        .iter()
        .flat_map(words::template_paths)
        .collect();
    let mut offences: Vec<String> = named
        .iter()
        .filter(|(_, path)| {
            !templates
                .iter()
                .any(|t| t.path == format!("templates/{path}"))
        })
        .map(|(place, path)| format!("{place}: no templates/{path}"))
        .collect();
    // Layouts and parts have no struct; another template extends, includes or imports them.
    let used = |path: &str| {
        named.iter().any(|(_, name)| name == path)
            || templates
                .iter()
                .any(|t| t.text.contains(&format!("\"{path}\"")))
    };
    offences.extend(
        templates
            .iter()
            .map(|t| t.path.trim_start_matches("templates/"))
            .filter(|path| !used(path))
            .map(|path| format!("templates/{path}: no page struct names it")),
    );
    report(
        "page structs and templates belong together, one to one",
        offences,
    );
}

#[test]
fn pages_obey_their_own_content_policy() {
    let broken = |source: &Source| {
        source
            .text
            .lines()
            .enumerate()
            .filter_map(|(index, line)| Some((index + 1, words::inline_page_code(line)?)))
            .map(|(line, what)| format!("{}:{line}: {what}", source.path))
            .collect::<Vec<_>>()
    };
    let offences = files_under("templates", "html")
        .iter()
        .flat_map(broken)
        .collect();
    report(
        "templates carry no inline style or script: the browser would refuse it",
        offences,
    );
}

#[test]
fn migrations_are_numbered_without_gaps() {
    let steps: Vec<Source> = rust_files("migrations/src")
        .into_iter()
        .filter(|s| !s.path.ends_with("/lib.rs"))
        .collect();
    let list = rust_files("migrations/src")
        .into_iter()
        .find(|s| s.path.ends_with("/lib.rs"))
        .map_or(String::new(), |s| s.code);
    let offence = |(index, step): (usize, &Source)| {
        let name = step.path.rsplit('/').next().unwrap_or_default();
        let wanted = format!("m{:04}_", index + 1);
        if !name.starts_with(&wanted) {
            return Some(format!("{}: expected {wanted}…", step.path));
        }
        let run = format!("{}::", name.trim_end_matches(".rs"));
        (!list.contains(&run)).then(|| format!("{}: lib.rs never runs it", step.path))
    };
    let offences = steps.iter().enumerate().filter_map(offence).collect();
    report(
        "migrations are m0001_name.rs, m0002_name.rs, …, one file a step, each in the list",
        offences,
    );
}

#[test]
fn store_functions_take_their_scope_first() {
    let offences = rust_files("src/store")
        .iter()
        .filter(|s| !s.path.starts_with("src/store/rows/"))
        .filter(|s| !STORE_WITHOUT_SCOPE.contains(&s.path.as_str()))
        .flat_map(words::functions_without_scope)
        .collect();
    report(
        "a public async function of store takes a Scope first, so that no row is found without its tenant",
        offences,
    );
}

#[test]
fn sources_are_dated() {
    let sources = [
        rust_files("src"),
        rust_files("migrations"),
        rust_files("tests"),
    ]
    .concat();
    let offences = sources.iter().flat_map(words::undated_sources).collect();
    report(
        "a vendor fact says where it was read and when: `Source: <document>, read 2026-11-22`",
        offences,
    );
}

#[test]
fn nothing_is_left_unfinished() {
    let kinds = [
        ("src", "rs"),
        ("migrations", "rs"),
        ("tests", "rs"),
        ("templates", "html"),
        ("static", "css"),
        ("static", "js"),
    ];
    let offences = kinds
        .iter()
        .flat_map(|(folder, kind)| files_under(folder, kind))
        .flat_map(|s| unfinished(&s))
        .collect();
    report("no stubs, no notes to oneself, no skipped tests", offences);
}

fn unfinished(source: &Source) -> Vec<String> {
    let lines = source.text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let mark = UNFINISHED.iter().find(|mark| line.contains(**mark))?;
            Some(format!("{}:{}: {mark}", source.path, index + 1))
        })
        .collect()
}
