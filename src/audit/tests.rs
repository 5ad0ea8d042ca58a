//! Whatever is done to a chain in the database is noticed, and named.

use super::*;
use crate::domain::audit::Happened;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{RunId, TenantId};
use crate::domain::member::Actor;

fn actor() -> Actor {
    Actor {
        kind: "member".to_owned(),
        id: "01980000-0000-7000-8000-000000000001".to_owned(),
        name: "Ada".to_owned(),
        origin: None,
    }
}

/// A chain of so many events.
fn chained(count: u8) -> Vec<Event> {
    let mut head = Head::start();
    let mut events = Vec::new();
    for number in 1..=count {
        let happened = Happened::new("record.approved", "record", format!("record-{number}"))
            .with("digest", "abc")
            .in_run((number % 2 == 0).then(RunId::generate));
        let at = Timestamp(i64::from(number) * Timestamp::SECOND);
        let (event, next) = chain(&head, &happened, &actor(), at, [number; SALT_BYTES]);
        events.push(event);
        head = next;
    }
    events
}

fn head_of(events: &[Event]) -> Head {
    let last = events.last().unwrap();
    Head {
        seq: last.seq,
        hash: last.hash.clone(),
    }
}

#[test]
fn an_untouched_chain_holds() {
    let events = chained(5);
    let verified = verify(&events, Some(&head_of(&events))).unwrap();
    assert_eq!(verified.head, head_of(&events));
    assert_eq!((verified.events, verified.erased), (5, 0));
    assert_eq!(events[0].prev_hash, Head::start().hash);
    let nothing = verify([], None).unwrap();
    assert_eq!(nothing.head, Head::start());
}

#[test]
fn every_kind_of_tampering_is_named() {
    type Tamper = fn(&mut Vec<Event>);
    let cases: &[(&str, Tamper, i64, Why)] = &[
        ("when", |e| e[2].at = Timestamp(1), 3, Why::Changed),
        ("actor's id", |e| e[2].actor_id.push('x'), 3, Why::Changed),
        (
            "actor's kind",
            |e| e[2].actor_kind.push('x'),
            3,
            Why::Changed,
        ),
        ("action", |e| e[2].action.push('x'), 3, Why::Changed),
        ("subject", |e| e[2].subject_id.push('x'), 3, Why::Changed),
        (
            "subject's kind",
            |e| e[2].subject_kind.push('x'),
            3,
            Why::Changed,
        ),
        ("run", |e| e[1].run_id = None, 2, Why::Changed),
        ("digest", |e| e[2].detail_hash.push('x'), 3, Why::Changed),
        ("hash", |e| e[2].hash.push('x'), 3, Why::Changed),
        ("link", |e| e[2].prev_hash.push('x'), 3, Why::Unchained),
        (
            "first link",
            |e| e[0].prev_hash.push('x'),
            1,
            Why::Unchained,
        ),
        (
            "name",
            |e| beside(e, 2).actor_name.push('x'),
            3,
            Why::DetailChanged,
        ),
        (
            "detail",
            |e| beside(e, 2).detail.push(' '),
            3,
            Why::DetailChanged,
        ),
        ("salt", |e| beside(e, 2).salt[0] ^= 1, 3, Why::DetailChanged),
        ("delete", |e| drop(e.remove(2)), 3, Why::Missing),
        ("delete the first", |e| drop(e.remove(0)), 1, Why::Missing),
        ("insert", |e| e.insert(3, e[2].clone()), 3, Why::Extra),
        ("swap", |e| e.swap(1, 2), 2, Why::Missing),
        ("swap contents", |e| swap_contents(e), 2, Why::Unchained),
        ("truncate", |e| e.truncate(3), 4, Why::Missing),
        ("truncate to nothing", Vec::clear, 1, Why::Missing),
        ("write anew", |e| *e = anew(e), 5, Why::Rewritten),
    ];
    for (what, tamper, seq, why) in cases {
        let mut events = chained(5);
        let signed = head_of(&events);
        tamper(&mut events);
        let broken = Broken {
            seq: *seq,
            why: *why,
        };
        assert_eq!(verify(&events, Some(&signed)), Err(broken), "{what}");
    }
}

fn beside(events: &mut [Event], index: usize) -> &mut Beside {
    events[index].beside.as_mut().unwrap()
}

/// Two events change places, each under the other's number.
fn swap_contents(events: &mut [Event]) {
    events.swap(1, 2);
    events[1].seq = 2;
    events[2].seq = 3;
}

/// A forger who knows the rules writes the whole chain again, without the third event's detail.
fn anew(events: &[Event]) -> Vec<Event> {
    let mut head = Head::start();
    let forge = |event: &Event| {
        let happened = Happened::new("record.approved", "record", event.subject_id.clone());
        let (event, next) = chain(&head, &happened, &actor(), event.at, [0; SALT_BYTES]);
        head = next;
        event
    };
    events.iter().map(forge).collect()
}

#[test]
fn an_erased_detail_is_counted_and_breaks_nothing() {
    let mut events = chained(4);
    events[1].beside = None;
    events[3].beside = None;
    let verified = verify(&events, Some(&head_of(&events))).unwrap();
    assert_eq!(verified.erased, 2);
}

#[test]
fn a_part_of_a_chain_is_verified_from_where_it_begins() {
    let events = chained(5);
    let mut verifier = Verifier::after(head_of(&events[..2]), None);
    for event in &events[2..] {
        verifier.take(event).unwrap();
    }
    assert_eq!(verifier.finish().unwrap().events, 3);
}

#[test]
fn the_canonical_form_stays_as_it_is() {
    // Computed outside this program, from the form that `canonical.rs` describes.
    let happened = Happened::new("connection.created", "connection", "c-1").with("name", "Süd");
    let at = Timestamp(1_764_000_000_000_001);
    let (event, head) = chain(&Head::start(), &happened, &actor(), at, [7; SALT_BYTES]);
    assert_eq!(
        event.detail_hash,
        "2942ef02c1b911e1a546f93129f2df14220a3943f6e2697d9fd5eb4bd1e2f9c8"
    );
    assert_eq!(
        event.hash,
        "6c9c3425c1a056e79e2cb6e380ff31516137230ef8c7b6370d6ab1a2192ba237"
    );
    assert_eq!(head.hash, event.hash);
}

#[test]
fn facts_read_back_in_order_and_cannot_forge_lines() {
    let happened = Happened::new("write.rejected", "record", "r\n2")
        .with("zeta", "1")
        .with("alpha", "two\r\nthree \u{1b}[2J \u{202e}")
        .with("zeta", "again");
    let mut who = actor();
    who.name = "Eve\nroot".to_owned();
    let (event, _) = chain(
        &Head::start(),
        &happened,
        &who,
        Timestamp(0),
        [1; SALT_BYTES],
    );
    let beside = event.beside.unwrap();
    let facts = beside.facts();
    let names: Vec<&str> = facts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["zeta", "alpha", "zeta_2"]);
    assert_eq!(facts[1].1, "two\\u{d}\\u{a}three \\u{1b}[2J \\u{202e}");
    assert_eq!(event.subject_id, "r\\u{a}2");
    assert_eq!(beside.actor_name, "Eve\\u{a}root");
    let broken = Beside {
        detail: "[1".to_owned(),
        ..beside
    };
    assert!(broken.facts().is_empty());
}

#[test]
fn a_head_is_signed_with_its_tenant() {
    let head = head_of(&chained(1));
    let own = head.signed_form(TenantId::NIL);
    assert_ne!(own, head.signed_form(TenantId::generate()));
    assert!(own.ends_with(&head.hash));
}

/// A range as it is exported, from the first of these events to the last.
fn exported(events: &[Event], format: export::Format) -> String {
    let end = export::End {
        tenant_id: TenantId::NIL,
        first_seq: events.first().unwrap().seq,
        last_seq: events.last().unwrap().seq,
        exported_at: Timestamp(0),
        signature: "v1:ab".to_owned(),
    };
    let last = events.len() - 1;
    let lines = events
        .iter()
        .enumerate()
        .map(|(at, event)| format.line(event, (at == last).then_some(&end)));
    format.head() + &lines.collect::<String>()
}

#[test]
fn an_exported_range_verifies_by_itself() {
    let mut events = chained(7);
    events[3].beside = None;
    beside(&mut events, 4).actor_name.clear();
    events[4].detail_hash = canonical::detail_hash(events[4].beside.as_ref().unwrap());
    let events = rechained(events);
    for format in [export::Format::JsonLines, export::Format::Csv] {
        for part in [&events[..], &events[2..6], &events[6..]] {
            let text = exported(part, format);
            let file = export::verify(text.as_bytes()).unwrap();
            assert_eq!(file.verified.head, head_of(part));
            assert_eq!(file.verified.events, u64::try_from(part.len()).unwrap());
            let erased = part.iter().filter(|event| event.beside.is_none()).count();
            assert_eq!(file.verified.erased, u64::try_from(erased).unwrap());
            assert!(file.signed_form.ends_with(&head_of(part).hash));
            assert!(file.signed_form.contains(&part[0].prev_hash));
            assert_eq!(file.end.signature, "v1:ab");
        }
    }
}

/// The same events, each hashed again and going on from the one before.
fn rechained(mut events: Vec<Event>) -> Vec<Event> {
    let mut previous = Head::start().hash;
    for event in &mut events {
        event.prev_hash = previous;
        event.hash = canonical::hash(event);
        previous = event.hash.clone();
    }
    events
}

#[test]
fn tampering_with_an_exported_file_is_named() {
    type Tamper = fn(&mut Vec<String>);
    // The lines are of the events 3 to 8.
    let cases: &[(&str, Tamper, i64)] = &[
        ("change", |l| put(l, "record-5", "record-9"), 5),
        ("change a detail", |l| put(l, "digest", "detail"), 5),
        ("change a name", |l| put(l, "Ada", "Eve"), 5),
        ("delete", |l| drop(l.remove(4)), 7),
        ("delete the first", |l| drop(l.remove(0)), 3),
        ("insert", |l| l.insert(4, l[3].clone()), 6),
        ("swap", |l| l.swap(3, 4), 6),
        ("garble", |l| l[4] = "{}".to_owned(), 7),
        ("truncate", |l| drop(l.pop()), 8),
        ("truncate more", |l| l.truncate(2), 5),
    ];
    for format in [export::Format::JsonLines, export::Format::Csv] {
        for (what, tamper, seq) in cases {
            let text = exported(&chained(8)[2..], format);
            let head = format.head();
            let lines = text.strip_prefix(head.as_str()).unwrap().lines();
            let mut lines: Vec<String> = lines.map(str::to_owned).collect();
            let before = lines.clone();
            tamper(&mut lines);
            assert_ne!(before, lines, "{what}");
            let text = head + &lines.join("\r\n");
            let broken = export::verify(text.as_bytes()).unwrap_err();
            assert_eq!(broken.seq(), Some(*seq), "{what}: {broken}");
        }
    }
    assert!(matches!(
        export::verify("".as_bytes()),
        Err(export::NotWhole::Empty)
    ));
}

/// Another text in the line of event 5.
fn put(lines: &mut [String], before: &str, after: &str) {
    lines[2] = lines[2].replace(before, after);
}
