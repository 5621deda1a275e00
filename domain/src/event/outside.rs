//! An event as anybody outside may see it: what was written, but for what could lead back to a person or open a door.
//! One rule for the API, the bus and the published schemas.

use std::borrow::Cow;

use serde_json::Value;

/// Ciphertext and keyed hashes of personal fields and secrets.
const WITHHELD: &[&str] =
    &["phone", "phone_hash", "name", "email", "secret_hash", "statement", "device_key", "email_hash", "old_phone_hash"];

/// Members of the data that stay inside. By noun, so that an event of a newer version tells nothing more.
pub fn withheld(name: &str) -> &'static [&'static str] {
    match name {
        _ if name.starts_with("client.")
            || name.starts_with("key.")
            || name.starts_with("account.")
            || name == "site.contact_set" =>
        {
            WITHHELD
        }
        // What is said at the gate, and where somebody is about to pay: for the client and the site only.
        "reservation.held" => &["code"],
        "payment.opened" => &["checkout_url"],
        // What is appended to an address is often a secret of whoever listens there.
        "endpoint.added" | "endpoint.changed" => &["url"],
        // Where a site is paid.
        "payout.prepared" | "site.payout_account_set" => &["account"],
        _ => &[],
    }
}

/// The data without what is withheld; the stored bytes themselves where nothing is.
///
/// # Errors
/// When the data are not JSON, which the log never holds.
pub fn outside<'a>(name: &str, data: &'a str) -> Result<Cow<'a, str>, serde_json::Error> {
    let withheld = withheld(name);
    if withheld.is_empty() {
        return Ok(Cow::Borrowed(data));
    }
    let mut reduced: Value = serde_json::from_str(data)?;
    if let Some(members) = reduced.as_object_mut() {
        members.retain(|member, _| !withheld.contains(&member.as_str()));
    }
    serde_json::to_string(&reduced).map(Cow::Owned)
}
