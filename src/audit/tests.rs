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
