//! The company and the service account's user.

use serde_json::{Value, json};

use super::access;
use super::refuse::Outcome;
use super::seed;
use crate::sandbox::kit::Reply;

pub(super) fn list() -> Outcome {
    let company = json!({
        "id": seed::COMPANY_ID,
        "name": seed::COMPANY_NAME,
        "is_active": true,
        "logo_url": null,
        "pcn_business_experience": false,
        "my_company": true,
    });
    Ok(Reply::json(200, &json!([company]))
        .header("Total", "1")
        .header("Per-Page", "100"))
}

pub(super) fn me() -> Outcome {
    Ok(Reply::json(200, &user()))
}

pub(super) fn me_in(company_id: &str) -> Outcome {
    access::is_ours(company_id)?;
    let mut user = user();
    if let Value::Object(fields) = &mut user {
        fields.insert("email_address".into(), json!(seed::USER_LOGIN));
        fields.insert("is_active".into(), json!(true));
        fields.insert("is_employee".into(), json!(false));
    }
    Ok(Reply::json(200, &user))
}

fn user() -> Value {
    json!({"id": seed::USER_ID, "login": seed::USER_LOGIN, "name": "ml-connector DMSA"})
}
