//! Which shapes of each event were ever published.

/// The highest schema number. What a later shape added is read where it is judged by, and is nothing in an earlier one.
pub(super) fn newest(name: &str) -> i16 {
    match name {
        "payment.requested" | "payment.succeeded" | "payment.duplicated" | "reservation.held" => 4,
        "reservation.payment_received"
        | "refund.requested"
        | "refund.submitted"
        | "refund.succeeded"
        | "site.registered"
        | "site.described" => 3,
        "key.granted" | "reservation.rescheduled" | "reservation.split" | "site.contract_set" => 2,
        _ => 1,
    }
}

/// Nothing that is judged: what a promotion gives is in the price already.
pub(super) fn is_no_money(name: &str) -> bool {
    matches!(name, "promotion.created" | "promotion.ended" | "promotion.redeemed" | "promotion.released")
}
