//! Lists find what people type, exactly as they type it, page by page.

use std::time::Duration;

use ml_connector::domain::money::Money;
use ml_connector::domain::record::State;
use ml_connector::store::search::{self, Filter};
use rust_decimal::Decimal;

use super::{Bench, seen};
use crate::support::database::{TestDatabase, both};

both!(
    text_is_looked_for_literally,
    filters_narrow_a_list,
    a_list_is_walked_without_gaps,
    money_is_added_up_by_currency,
);

impl Bench {
    async fn named(&self, id: &str, number: &str, counterparty: &str) {
        self.hint(vec![seen(id)]).await;
        self.save(id, |work| {
            work.record.number = Some(number.to_owned());
            work.record.counterparty = Some(counterparty.to_owned());
        })
        .await;
    }

    async fn found(&self, filter: &Filter) -> Vec<String> {
        let scope = self.scope().await;
        let page = search::records(&scope, filter, None, 100).await.unwrap();
        let mut ids: Vec<String> = page.into_iter().map(|work| work.record.source.id).collect();
        ids.sort();
        ids
    }
}

async fn text_is_looked_for_literally(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    bench.named("10", "PO_10%", "Österreich GmbH").await;
    bench.named("11", "POx10y", "O'Brien & Söhne").await;
    bench
        .named("12", "A!B\\C", "<script>alert(1)</script>")
        .await;
    bench.named("AbC-13", "", "Stone").await;
    for (text, want) in [
        ("PO_10", vec!["10"]),
        ("po_10%", vec!["10"]),
        ("%", vec!["10"]),
        ("_", vec!["10"]),
        ("10", vec!["10", "11"]),
        ("!", vec!["12"]),
        ("a!b", vec!["12"]),
        ("\\", vec!["12"]),
        ("'", vec!["11"]),
        ("o'brien", vec!["11"]),
        ("Österreich", vec!["10"]),
        ("söhne", vec!["11"]),
        ("SCRIPT>", vec!["12"]),
        ("' OR 1=1 --", vec![]),
        ("abc-13", vec!["AbC-13"]),
        ("AbC", vec!["AbC-13"]),
        ("  stone  ", vec!["AbC-13"]),
        ("", vec!["10", "11", "12", "AbC-13"]),
    ] {
        let filter = Filter {
            text: Some(text.to_owned()),
            ..Filter::default()
        };
        assert_eq!(bench.found(&filter).await, want, "{text}");
    }
}

async fn filters_narrow_a_list(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    bench.hint(vec![seen("10"), seen("11"), seen("12")]).await;
    bench.advance(60);
    bench.rest("11", State::Failed).await;
    bench
        .save("12", |work| {
            work.record.state = State::Succeeded;
            work.record.flags = vec!["diverged".into()];
        })
        .await;
    let all = Filter::default();
    let of = |states: &[State]| Filter {
        states: states.to_vec(),
        ..all.clone()
    };
    assert_eq!(bench.found(&of(&[State::Pending])).await, ["10"]);
    assert_eq!(
        bench.found(&of(&[State::Pending, State::Failed])).await,
        ["10", "11"]
    );
    let flagged = |flag: &str| Filter {
        flag: Some(flag.into()),
        ..all.clone()
    };
    assert_eq!(bench.found(&flagged("diverged")).await, ["12"]);
    assert_eq!(
        bench.found(&flagged("diverge_")).await,
        Vec::<String>::new()
    );
    assert_eq!(bench.found(&flagged("%")).await, Vec::<String>::new());
    let changed = Filter {
        updated_after: Some(bench.now().minus(Duration::from_secs(1))),
        ..all.clone()
    };
    assert_eq!(bench.found(&changed).await, ["11", "12"]);
    let of_flow = Filter {
        flow: Some("vendors".into()),
        ..all.clone()
    };
    assert_eq!(bench.found(&of_flow).await, Vec::<String>::new());
    let elsewhere = Filter {
        pair: Some(ml_connector::domain::ids::PairId::generate()),
        ..all
    };
    assert_eq!(bench.found(&elsewhere).await, Vec::<String>::new());
}

async fn a_list_is_walked_without_gaps(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    for number in 0..23 {
        bench.hint(vec![seen(&format!("{number:02}"))]).await;
    }
    let scope = bench.scope().await;
    let (mut walked, mut before) = (Vec::new(), None);
    loop {
        let page = search::records(&scope, &Filter::default(), before, 5)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.record.id);
        walked.extend(page.into_iter().map(|work| work.record.source.id));
    }
    let newest_first: Vec<String> = (0..23).rev().map(|number| format!("{number:02}")).collect();
    assert_eq!(walked, newest_first);
}

async fn money_is_added_up_by_currency(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    for (id, amount, currency) in [
        ("10", "100.10", "USD"),
        ("11", "0.2", "USD"),
        ("12", "-7", "EUR"),
    ] {
        bench.hint(vec![seen(id)]).await;
        bench
            .save(id, |work| {
                let amount: Decimal = amount.parse().unwrap();
                work.record.money = Some(Money::new(amount, currency.parse().unwrap()));
            })
            .await;
    }
    bench.hint(vec![seen("13")]).await;
    let scope = bench.scope().await;
    let totals = search::totals(&scope, &Filter::default()).await.unwrap();
    let mut money: Vec<(u64, String)> = totals
        .into_iter()
        .map(|total| {
            let money = total
                .money
                .map_or("none".to_owned(), |money| money.to_string());
            (total.records, money)
        })
        .collect();
    money.sort();
    assert_eq!(money.len(), 3);
    assert!(
        money
            .iter()
            .any(|(count, text)| *count == 2 && text.contains("100.3")),
        "{money:?}"
    );
    assert!(
        money
            .iter()
            .any(|(count, text)| *count == 1 && text.contains("-7")),
        "{money:?}"
    );
    assert!(money.contains(&(1, "none".to_owned())), "{money:?}");
}
