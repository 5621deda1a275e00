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
        | "site.described"
        | "key.granted" => 3,
        "client.number_verified" | "reservation.rescheduled" | "reservation.split" | "site.contract_set" => 2,
        _ => 1,
    }
}

/// Events of the catalogue by which nothing is judged.
pub(super) fn is_not_judged(name: &str) -> bool {
    matches!(
        name,
        "site.registered"
            | "site.described"
            | "site.hours_set"
            | "site.day_set"
            | "site.tariffs_set"
            | "site.policy_set"
            | "site.contact_set"
            | "site.contract_set"
            | "site.payout_account_set"
            | "site.payouts_held"
            | "site.payouts_released"
            | "site.suspended"
            | "site.resumed"
            | "payout.prepared"
            | "payout.agreed"
            | "payout.approved"
            | "payout.rejected"
            | "payout.submitted"
            | "payout.pending"
            | "payout.became_unknown"
            | "payout.succeeded"
            | "payout.failed"
            | "payout.reversed"
            | "payout.paid_by_hand"
            // What a promotion gives is in the price already.
            | "promotion.created"
            | "promotion.ended"
            | "promotion.redeemed"
            | "promotion.released"
            // It is counted beside the ledger.
            | "till.opened"
            | "till.counted"
            | "till.cash_moved"
            | "till.closed"
            | "reconciliation.import_requested"
            | "reconciliation.statement_imported"
            | "reconciliation.matched"
            | "reconciliation.difference_found"
            | "reconciliation.explanation_proposed"
            | "reconciliation.difference_explained"
            | "reconciliation.closed"
            | "invoice.issued"
            | "invoice.became_overdue"
            | "invoice.paid"
            | "invoice.cancelled"
            | "client.registered"
            | "client.renamed"
            | "client.number_verified"
            | "client.pin_set"
            | "client.device_bound"
            | "client.device_released"
            | "client.erased"
            | "account.invited"
            | "account.approved"
            | "account.accepted"
            | "account.passphrase_set"
            | "account.role_proposed"
            | "account.role_granted"
            | "account.suspended"
            | "account.resumed"
            | "key.granted"
            | "key.revoked"
            | "key.rotated"
            | "endpoint.added"
            | "endpoint.changed"
            | "endpoint.secret_rotated"
            | "endpoint.disabled"
            | "endpoint.removed"
    )
}
