//! Plans of changes, table by table.

use super::*;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn row(pairs: &[(&str, &str)]) -> Row {
    let pairs = pairs.iter();
    Row::from_pairs(pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn line(key: &str, amount: &str) -> LineDraft {
    let amount: Decimal = amount.parse().unwrap();
    LineDraft {
        key: key.to_owned(),
        code: "03-300 M".to_owned(),
        line: 1,
        item: "PCMATL".to_owned(),
        quantity: amount,
        price: Decimal::ONE,
        amount,
        unmapped_unit: None,
        fields: fields(&[("PITD", "Stone"), ("ELNO", "A1")]),
        accounts: fields(&[("AIT1", "50320")]),
    }
}

fn order(lines: Vec<LineDraft>) -> OrderDraft {
    OrderDraft {
        batch_origin: "B".to_owned(),
        division: String::new(),
        supplier: "S1".to_owned(),
        head: fields(&[("SUNO", "S1"), ("BUYE", "JO")]),
        delivery: Some("20300101".to_owned()),
        lead_days: 14,
        tag: "MLC-1".to_owned(),
        number: "PO-1".to_owned(),
        title: String::new(),
        since_ms: None,
        total: lines.iter().map(|line| line.amount).sum(),
        lines,
    }
}

fn held(number: &str, amount: &str, more: &[(&str, &str)]) -> Row {
    let mut pairs = vec![
        ("PNLI", number),
        ("PNLS", "0"),
        ("ITNO", "PCMATL"),
        ("ORQA", amount),
        ("PUPR", "1.000000"),
        ("LNAM", amount),
        ("PUST", "15"),
        ("PITD", "Stone"),
    ];
    pairs.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    pairs.extend(more);
    row(&pairs)
}

struct Case {
    wanted: OrderDraft,
    rows: Vec<Row>,
    by_batch: bool,
}

/// Lines a and b of 100 and 250, written as they are wanted and held so by M3.
fn case(change: impl FnOnce(&mut Case)) -> Plan {
    let mut case = Case {
        wanted: order(vec![line("a", "100"), line("b", "250")]),
        rows: vec![held("1", "100.000000", &[]), held("2", "250.000000", &[])],
        by_batch: true,
    };
    let written = case.wanted.clone();
    change(&mut case);
    let head = row(&[
        ("SUNO", "S1"),
        ("NTAM", "350.00"),
        ("DWDT", "20300101"),
        ("BUYE", "JO"),
    ]);
    let numbers = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
    plan(
        &case.wanted,
        &Present {
            order: "7",
            head: &head,
            lines: &case.rows,
            numbers: &numbers,
            written: Some(&written),
            by_batch: case.by_batch,
        },
    )
}

fn steps(plan: Plan) -> Vec<Op> {
    match plan {
        Plan::Change { change, .. } => change.change,
        other => panic!("a change was expected: {other:?}"),
    }
}

fn says(plan: Plan) -> String {
    match plan {
        Plan::Stuck { differences, says } => {
            assert!(
                differences.iter().all(|change| change.to.is_some()),
                "both values"
            );
            says
        }
        other => panic!("stuck was expected: {other:?}"),
    }
}

fn update(line: u32, pairs: &[(&str, &str)]) -> Op {
    Op::Update {
        line,
        fields: fields(pairs),
    }
}

#[test]
fn what_is_equal_is_left_alone() {
    assert_eq!(case(|_| {}), Plan::Same);
    // Another account of the same code is a mapping that changed, and a buyer alone is none of the source's changes.
    let same = case(|case| {
        case.wanted.lines[0].accounts = fields(&[("AIT1", "9")]);
        case.wanted.head.insert("BUYE".to_owned(), "ANN".to_owned());
    });
    assert_eq!(same, Plan::Same);
    // A line of the source at 0.00 that was never sent is no line.
    assert_eq!(
        case(|case| case.rows.push(held("2", "9", &[("PNLS", "1")]))),
        Plan::Same
    );
}

#[test]
fn changed_values_are_sent_whole() {
    let amount = |text: &str| text.parse::<Decimal>().unwrap();
    assert_eq!(
        steps(case(|case| case.wanted.lines[1].quantity = amount("275.50"))),
        [update(2, &[("ORQA", "275.5")])]
    );
    assert_eq!(
        steps(case(|case| {
            case.wanted.lines[0].quantity = amount("12.5");
            case.wanted.lines[0].price = amount("8");
        })),
        [update(1, &[("ORQA", "12.5"), ("PUPR", "8.00")])]
    );
    assert_eq!(
        steps(case(|case| {
            case.wanted.lines[0]
                .fields
                .insert("PITD".to_owned(), "Gravel".to_owned());
        })),
        [update(1, &[("PITD", "Gravel")])]
    );
    let later = case(|case| {
        case.wanted.delivery = Some("20310101".to_owned());
        case.wanted.head.insert("BUYE".to_owned(), "ANN".to_owned());
    });
    let head = fields(&[("BUYE", "ANN"), ("DWDT", "20310101")]);
    assert_eq!(steps(later), [Op::Head { fields: head }]);
}

#[test]
fn new_lines_have_numbers_that_no_line_had() {
    let add = |case: &mut Case| {
        case.wanted.lines.push(line("c", "40"));
        case.rows.push(held("5", "1", &[]));
    };
    let Plan::Change { change, people } = case(add) else {
        panic!("a change")
    };
    assert_eq!(
        change.change,
        [
            Op::BatchStart,
            Op::BatchLine { line: 6, at: 2 },
            Op::BatchCoding { line: 6, at: 2 },
            Op::BatchFinish { lines: vec![6] }
        ]
    );
    assert_eq!(change.numbers["c"], 6);
    assert_eq!(people.last().unwrap().to.as_deref(), Some("390.00"));
    let direct = case(|case| {
        add(case);
        case.by_batch = false;
    });
    assert_eq!(steps(direct), [Op::Add { line: 6, at: 2 }]);
    let uncoded = case(|case| {
        add(case);
        case.wanted.lines[2].accounts.clear();
    });
    assert_eq!(steps(uncoded), [Op::Add { line: 6, at: 2 }]);
}

#[test]
fn a_line_that_is_gone_or_coded_otherwise_is_deleted_while_nothing_of_it_is_used() {
    assert_eq!(
        steps(case(|case| {
            case.wanted.lines.remove(0);
        })),
        [Op::Delete { line: 1 }]
    );
    let recode = |case: &mut Case| {
        case.wanted.lines[0].code = "04-100 M".to_owned();
        case.wanted.lines[0].accounts = fields(&[("AIT1", "50400")]);
    };
    assert_eq!(
        steps(case(recode)),
        [
            Op::Delete { line: 1 },
            Op::BatchStart,
            Op::BatchLine { line: 3, at: 0 },
            Op::BatchCoding { line: 3, at: 0 },
            Op::BatchFinish { lines: vec![3] }
        ]
    );
    for used in [[("RVQA", "1")], [("IVQA", "0.5")], [("PUST", "50")]] {
        let said = says(case(|case| {
            recode(case);
            case.rows[0] = held("1", "100", &used);
        }));
        assert!(said.contains("coding changed"), "{said}");
        says(case(|case| {
            case.wanted.lines.remove(0);
            case.rows[0] = held("1", "100", &used);
        }));
    }
}

#[test]
fn what_m3_cannot_follow_stops_everything() {
    let less = |used: &'static [(&'static str, &'static str)]| {
        move |case: &mut Case| {
            case.wanted.lines[0].quantity = Decimal::from(60);
            case.wanted.lines[1].quantity = Decimal::from(300);
            case.rows[0] = held("1", "100", used);
        }
    };
    for (used, want) in [
        (
            &[("RVQA", "80")][..],
            "80 is received or invoiced in M3, the source now says 60",
        ),
        (&[("IVQA", "60.01")][..], "60.01 is received"),
        (&[("PUST", "85")][..], "closed in M3"),
    ] {
        let said = says(case(less(used)));
        assert!(said.contains(want), "{said}");
    }
    assert_eq!(steps(case(less(&[("RVQA", "60")]))).len(), 2);
    let said = says(case(|case| case.wanted.supplier = "S2".to_owned()));
    assert!(
        said.contains("supplier of an order cannot be changed"),
        "{said}"
    );
    let said = says(case(|case| {
        case.rows.push(held("999", "1", &[]));
        case.wanted.lines.push(line("c", "1"));
    }));
    assert!(said.contains("999"), "{said}");
}

#[test]
fn a_change_is_told_from_an_order_and_holds_what_it_leads_to() {
    let Plan::Change { change, people } = case(|case| {
        case.wanted.lines[1].quantity = Decimal::from(300);
    }) else {
        panic!("a change")
    };
    let kept = Draft::new(
        serde_json::to_value(&change).unwrap(),
        people,
        "MLC-1".into(),
        None,
    );
    assert_eq!(ChangeDraft::of(&kept).unwrap().unwrap(), *change);
    assert_eq!(OrderDraft::of(&kept).unwrap(), change.whole);
    let whole = Draft::new(
        serde_json::to_value(&change.whole).unwrap(),
        vec![],
        "MLC-1".into(),
        None,
    );
    assert_eq!(ChangeDraft::of(&whole).unwrap(), None);
}
