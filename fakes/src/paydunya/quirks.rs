//! Where PayDunya's behaviour varies, or is told differently by those who have seen it.

use serde::Deserialize;

/// The switches; `{"do":"quirks", …}` sets all of them, those left out to their defaults.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quirks {
    /// Where `confirm` and the callbacks of invoices say how it ended.
    pub status_at: StatusAt,
    /// How amounts are written in answers and callbacks.
    pub amounts: Amounts,
    /// Bodies of callbacks about invoices.
    pub callback: Form,
    /// Bodies of callbacks about disbursements.
    pub disburse_callback: Form,
    /// A `disburse_id` that was submitted before is refused with 5000 `disburse_id already used`. Integrations say so
    /// (providers.md calls none of it documented): off, the same one pays again.
    pub unique_disburse_ids: bool,
    /// Whether the answer to a submission carries a `status`; published examples of immediate successes have none.
    pub submit_says_status: bool,
    /// Wrong keys are answered with HTTP 401 rather than with a code inside a 200.
    pub keys_by_status: bool,
    /// `get-invoice` posts an empty body to the callback address and refuses unless that is answered with a 2xx.
    pub probes_callbacks: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            status_at: StatusAt::Both,
            amounts: Amounts::Number,
            callback: Form::Json,
            disburse_callback: Form::Flat,
            unique_disburse_ids: true,
            submit_says_status: true,
            keys_by_status: false,
            probes_callbacks: false,
        }
    }
}

/// Where a status stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusAt {
    Top,
    Invoice,
    Both,
    /// The true one at the top, `pending` in the invoice.
    Contradicting,
}

/// How an amount is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amounts {
    /// `15000`
    Number,
    /// `15000.0`
    Float,
    /// `"15000"`
    Text,
    /// `"15000.00"`
    Decimals,
}

/// How a callback's body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A form with one field `data`: JSON text.
    Json,
    /// A form with fields `data[invoice][token]`.
    Brackets,
    /// A form with fields `token`, `invoice[token]`.
    Flat,
    /// No form: a JSON object.
    Plain,
}
