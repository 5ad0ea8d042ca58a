//! One act on every record that a filter matches. The page says first how many, and how much money.

use askama::Template;

use super::{Shown, filter};
use crate::desk::record::{self, Act};
use crate::domain::fault::Issue;
use crate::domain::member::Scope;
use crate::domain::record::State;
use crate::store::search::{self, Filter, Total};
use crate::web::fields::Fields;
use crate::web::page::{self, Answer, Flash, Form, Shell, Visit, say};
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "records/bulk.html")]
struct Ask {
    shell: Shell,
    form: Form,
    title: String,
    consequence: String,
    button: String,
    /// How the button looks.
    kind: &'static str,
    asks_reason: bool,
    act: &'static str,
    /// The filter, kept in hidden fields.
    hidden: Vec<(String, String)>,
    totals: Vec<Shown>,
    /// What was seen when the page was drawn.
    seen: String,
    back: String,
}

/// The acts that are offered for many records.
struct Kind {
    word: &'static str,
    verb: &'static str,
    needs: Scope,
    consequence: &'static str,
    asks_reason: bool,
    danger: bool,
}

static KINDS: [Kind; 4] = [
    Kind {
        word: "retry",
        verb: "Retry",
        needs: Scope::Operate,
        consequence: "Their sources are read again and they go on from there. Nothing is written twice.",
        asks_reason: false,
        danger: false,
    },
    Kind {
        word: "ignore",
        verb: "Ignore",
        needs: Scope::Operate,
        consequence: "They are put aside until somebody takes them up again.",
        asks_reason: true,
        danger: true,
    },
    Kind {
        word: "approve",
        verb: "Approve",
        needs: Scope::Approve,
        consequence: "Each is written exactly as it is planned now. A plan that changes before it is \
written asks again.",
        asks_reason: false,
        danger: false,
    },
    Kind {
        word: "reject",
        verb: "Reject",
        needs: Scope::Approve,
        consequence: "None of them is written. They are shown as needing a mend, with your reason.",
        asks_reason: true,
        danger: true,
    },
];

fn kind(visit: &Visit, word: &str) -> Result<&'static Kind, Problem> {
    let kind = KINDS.iter().find(|kind| kind.word == word);
    let kind = kind.ok_or_else(|| Problem::missing("act"))?;
    if visit.caller().may(kind.needs) {
        Ok(kind)
    } else {
        let needs = kind.needs;
        let says = format!("This needs the right “{needs}”, which you do not have.");
        Err(Problem::forbidden(says))
    }
}

/// `GET /records/bulk?act=…&{filter}`: asks first.
///
/// # Errors
/// `missing`, for an act that is not offered; `invalid`, for a filter that cannot be meant.
pub async fn ask(visit: Visit) -> Answer {
    let kind = kind(&visit, visit.query.get("act"))?;
    let form = Form::from(visit.query.clone());
    page::show(&drawn(&visit, kind, form).await?)
}

async fn drawn(visit: &Visit, kind: &'static Kind, form: Form) -> Result<Ask, Problem> {
    let filter = filter::read(&form.fields)?;
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let totals = search::totals(&scope, &filter).await?;
    drop(scope);
    let records = totals.iter().map(|total| total.records).sum();
    let records = say::plural(records, "record", "records");
    Ok(Ask {
        shell: visit.shell("records"),
        title: format!("{} {records}?", kind.verb),
        consequence: format!("This will touch {records}. {}", kind.consequence),
        button: format!("{} {records}", kind.verb),
        kind: if kind.danger { "danger" } else { "primary" },
        asks_reason: kind.asks_reason,
        act: kind.word,
        hidden: kept(&form.fields),
        seen: fingerprint(&totals),
        totals: sums(&totals),
        back: super::list::at(&filter_of(&form.fields), &[]),
        form,
    })
}

/// The filter's own values, without the form's.
fn filter_of(fields: &Fields) -> Fields {
    let mut filter = Fields::default();
    for (name, value) in kept(fields) {
        filter.add(&name, value);
    }
    filter
}

fn kept(fields: &Fields) -> Vec<(String, String)> {
    let known = fields
        .iter()
        .filter(|(name, value)| filter::NAMES.contains(name) && !value.is_empty());
    known
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// One sum a currency: amounts of two currencies are never added up.
pub(in crate::web) fn sums(totals: &[Total]) -> Vec<Shown> {
    let mut sums: Vec<crate::domain::money::Money> = Vec::new();
    for money in totals.iter().filter_map(|total| total.money.as_ref()) {
        match sums.iter_mut().find(|sum| sum.currency == money.currency) {
            Some(sum) => sum.amount += money.amount,
            None => sums.push(money.clone()),
        }
    }
    sums.iter().map(Shown::from).collect()
}

/// Tells whether other records, or other amounts, match by now.
fn fingerprint(totals: &[Total]) -> String {
    let held = totals.iter().filter(|total| total.state == State::Held);
    let parts = held.map(|total| {
        let money = total.money.as_ref();
        let money = money.map_or_else(String::new, |m| format!("{} {}", m.amount, m.currency));
        format!("{} {money}", total.records)
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// `POST /records/bulk`.
///
/// # Errors
/// As the desk's; a missing reason is asked for again, and so is money that changed meanwhile.
pub async fn carry_out(mut visit: Visit) -> Answer {
    let form = Form::from(std::mem::take(&mut visit.fields));
    let kind = kind(&visit, form.value("act"))?;
    let filter = filter::read(&form.fields)?;
    let reason = form.value("reason").trim().to_owned();
    if kind.asks_reason && kind.word == "reject" && reason.is_empty() {
        let issue = Issue::new(
            "reason",
            "missing",
            "Say why, so that whoever mends it knows.",
        );
        let form = form.with(vec![issue]);
        return page::again(&drawn(&visit, kind, form).await?);
    }
    if kind.word == "approve" {
        let drawn = drawn(&visit, kind, form.clone()).await?;
        if drawn.seen != form.value("seen") {
            let says =
                "What waits for approval changed since you looked. Look again, then approve.";
            let issue = Issue::new("seen", "changed", says);
            let drawn = Ask {
                form: form.with(vec![issue]),
                ..drawn
            };
            return page::again(&drawn);
        }
    }
    let act = act(kind.word, reason);
    let matched =
        record::act_on_all(visit.desk(), visit.caller(), narrowed(filter, &act), act).await?;
    let records = say::plural(matched, "record", "records");
    let said = match kind.word {
        "retry" => format!("{records} will be tried again."),
        "ignore" => format!("{records} put aside."),
        "approve" => format!("{records} approved; they are written next."),
        _ => format!("{records} rejected."),
    };
    let to = if kind.needs == Scope::Approve {
        "/approvals".to_owned()
    } else {
        super::list::at(&filter_of(&form.fields), &[("state", "")])
    };
    Ok(Flash::done(said).go(&visit.site, to))
}

fn act(word: &str, reason: String) -> Act {
    match word {
        "ignore" => Act::Ignore { reason },
        "approve" => Act::Approve { digest: None },
        "reject" => Act::Reject { reason },
        _ => Act::Retry,
    }
}

/// Money is let through where it is asked for, whatever the filter says.
fn narrowed(mut filter: Filter, act: &Act) -> Filter {
    if matches!(act, Act::Approve { .. } | Act::Reject { .. }) {
        filter.states = vec![State::Held];
    }
    filter
}
