//! Making a supplier, call by call. Every call can be seen by people at once, so each is final.

use super::super::client::{self, mi};
use super::super::lookup;
use super::super::reply::Row;
use super::draft::{Fields, SupplierDraft};
use super::watch;
use crate::contract::{Draft, Progress, Session, Step, Upcoming, Weight, Written};
use crate::domain::fault::Fault;

pub(super) const COPY: &str = "copy";
pub(super) const ADD: &str = "add";
pub(super) const UPDATE: &str = "update";
pub(super) const ADDRESS: &str = "address";
pub(super) const EMAIL: &str = "email";
pub(super) const PROOF: &str = "proof";

/// A supplier that orders may be placed with.
pub(in super::super) const ACTIVE: &str = "20";

/// The step that is due: a chain begins with the copy, or with the whole supplier where nothing is copied.
fn due<'a>(draft: Option<&SupplierDraft>, at: &'a Progress) -> &'a str {
    match (at.next.as_str(), draft) {
        ("", Some(draft)) if draft.template.is_none() => ADD,
        ("", _) => COPY,
        (next, _) => next,
    }
}

pub(super) fn upcoming(draft: &Draft, at: &Progress) -> Upcoming {
    let whole = SupplierDraft::of(draft).ok();
    let (operation, weight) = match due(whole.as_ref(), at) {
        COPY => ("CRS620MI/CopyTemplate", Weight::Final),
        ADD => ("CRS620MI/AddSupplier", Weight::Final),
        UPDATE => ("CRS620MI/UpdSupplier", Weight::Final),
        ADDRESS => ("CRS620MI/AddAddress", Weight::Final),
        EMAIL => ("CRS111MI/Add", Weight::Final),
        _ => ("CRS620MI/GetBasicData", Weight::Harmless),
    };
    Upcoming {
        operation: operation.to_owned(),
        weight,
        target_key: Some(draft.natural_key.clone()),
    }
}

pub(super) async fn step(
    session: &Session,
    draft: &SupplierDraft,
    at: &Progress,
) -> Result<Step, Fault> {
    let at = match due(Some(draft), at) {
        COPY => copy(session, draft, at).await?,
        ADD => add(session, draft, at).await?,
        UPDATE => update(session, draft, at).await?,
        ADDRESS => address(session, draft, at).await?,
        EMAIL => email(session, draft, at).await?,
        _ => return proof(session, draft, at).await,
    };
    // Before a look it need not be stored: a crash in between looks as well.
    let durable = at.next != PROOF;
    Ok(Step::More { at, durable })
}

async fn copy(session: &Session, draft: &SupplierDraft, at: &Progress) -> Result<Progress, Fault> {
    let fields = [
        ("STEM", draft.template.clone().unwrap_or_default()),
        ("SUNO", draft.supplier.clone()),
        // 0 = a supplier that goods and works are ordered from.
        ("SUTY", "0".to_owned()),
    ];
    client::write(session, &mi("CRS620MI", "CopyTemplate", fields)).await?;
    Ok(at.then(UPDATE, 0))
}

async fn add(session: &Session, draft: &SupplierDraft, at: &Progress) -> Result<Progress, Fault> {
    send(
        session,
        "CRS620MI",
        "AddSupplier",
        &draft.supplier,
        &draft.fields,
    )
    .await?;
    Ok(after_fields(draft, at))
}

async fn update(
    session: &Session,
    draft: &SupplierDraft,
    at: &Progress,
) -> Result<Progress, Fault> {
    send(
        session,
        "CRS620MI",
        "UpdSupplier",
        &draft.supplier,
        &draft.fields,
    )
    .await?;
    Ok(after_fields(draft, at))
}

fn after_fields(draft: &SupplierDraft, at: &Progress) -> Progress {
    match draft.address {
        Some(_) => at.then(ADDRESS, 0),
        None => after_address(draft, at),
    }
}

fn after_address(draft: &SupplierDraft, at: &Progress) -> Progress {
    match draft.email {
        Some(_) => at.then(EMAIL, 0),
        None => at.then(PROOF, 0),
    }
}

async fn address(
    session: &Session,
    draft: &SupplierDraft,
    at: &Progress,
) -> Result<Progress, Fault> {
    let none = Fields::new();
    let fields = draft.address.as_ref().unwrap_or(&none);
    let sent = send(session, "CRS620MI", "AddAddress", &draft.supplier, fields).await;
    match sent {
        // It is there from an earlier attempt whose answer was lost.
        Ok(_) | Err(Fault::Conflict { .. }) => Ok(after_address(draft, at)),
        Err(fault) => Err(fault),
    }
}

/// An e-mail address is a convenience: a supplier without it is whole, and the refusal is told.
async fn email(session: &Session, draft: &SupplierDraft, at: &Progress) -> Result<Progress, Fault> {
    let mut at = at.then(PROOF, 0);
    if let Some(email) = &draft.email {
        let fields = [
            ("EMTP", email.kind.clone()),
            ("EMKY", draft.supplier.clone()),
            ("EMAL", email.address.clone()),
        ];
        match client::try_write(session, &mi("CRS111MI", "Add", fields)).await {
            Ok(Ok(_)) => {}
            Ok(Err(nok)) if nok.is_duplicate() => {}
            Ok(Err(nok)) => at.notes.push(format!(
                "M3 did not take the e-mail address: {}",
                nok.message
            )),
            Err(fault @ (Fault::Auth { .. } | Fault::Rejected { .. } | Fault::Missing { .. })) => {
                at.notes
                    .push(format!("M3 did not take the e-mail address: {fault}"));
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(at)
}

async fn send(
    session: &Session,
    program: &'static str,
    transaction: &'static str,
    supplier: &str,
    fields: &Fields,
) -> Result<Row, Fault> {
    let call = mi(program, transaction, [("SUNO", supplier.to_owned())]).with(fields);
    client::write(session, &call).await
}

/// Reads the supplier back and compares it with what was sent.
pub(super) async fn proof(
    session: &Session,
    draft: &SupplierDraft,
    at: &Progress,
) -> Result<Step, Fault> {
    let row = lookup::supplier(session, &draft.supplier)
        .await?
        .ok_or_else(|| Fault::Missing {
            what: "supplier".to_owned(),
            message: format!(
                "supplier {} is not in M3 although M3 took it",
                draft.supplier
            ),
        })?;
    // A telephone number may be stored in another spelling; what people are found and paid by may not differ.
    let differing: Vec<String> = draft
        .differences(&row)
        .into_iter()
        .filter(|change| change.field != "Phone")
        .map(|change| format!("{}: {}", change.field, change.from.unwrap_or_default()))
        .collect();
    if !differing.is_empty() {
        return Err(Fault::Conflict {
            code: "proof_differs".to_owned(),
            message: format!(
                "M3 keeps supplier {} otherwise than it was sent ({})",
                draft.supplier,
                differing.join("; ")
            ),
        });
    }
    let mut notes = at.notes.clone();
    let status = row.text_or_blank("STAT");
    if !status.is_empty() && status != ACTIVE {
        notes.push(format!(
            "M3 keeps supplier {} in status {status}: orders wait until somebody in M3 sets it to {ACTIVE}",
            draft.supplier
        ));
    }
    Ok(Step::Done(Box::new(Written {
        target_id: draft.supplier.clone(),
        parts: Vec::new(),
        notes,
        held: Some(watch::holding(&row)),
    })))
}
