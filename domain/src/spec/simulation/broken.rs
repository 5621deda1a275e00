//! What is broken on purpose: each must be found out by the check that it offends, or the simulation proves nothing.

/// In what the code around the rules is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// Opens a checkout once more after a death, without asking for the first.
    OpensAgainWithoutAsking,
    /// Takes what a webhook says for what the provider knows.
    BelievesWebhooks,
    /// Sends a refund again under a new key while nobody can tell what became of the first.
    RefundsUnderNewKey,
    /// Does not take in money of a payment that had ended.
    ForgetsLateMoney,
    /// Takes a fee out of the clearing account and enters it nowhere.
    BooksFeeNowhere,
    /// Lets the hold end although a checkout of it is open.
    FreesWithOpenCheckout,
    /// What a worker had in hand when it died is gone.
    LosesEffectOnDeath,
    /// Writes although another worker has taken over.
    WritesWithoutFence,
    /// Confirms although somebody else has the cells.
    IgnoresThatCellsAreTaken,
    /// Sends a text again when nobody can tell whether it went.
    SendsTextsAgain,
    /// Lands the same money each time it is seen.
    LandsTwice,
    /// Settles what was asked for instead of what was paid.
    ConfirmsOnTooLittle,
    /// Puts a refund down before it is submitted.
    ForgetsRefunds,
    /// Never asks: believes that webhooks always come.
    NeverAsks,
    /// Prolongs the hold of an open checkout without an end.
    KeepsCellsForEver,
    /// Pays a payout without a key again after a death.
    PaysOutAgain,
    /// Does not return what was too little when the hold ended.
    ForgetsToReturnMoney,
    /// Sends a franc more than is to go back.
    PaysBackOneMore,
    /// Does not write down in the client's stream what became their credit.
    LosesCredit,
    /// Enters no refund that was paid.
    LedgerForgetsRefunds,
    /// Tells nobody that a refund waits to be handed out.
    TellsNobody,
    /// Asks about a refund while what was lost is on its way.
    AsksTooSoon,
}

impl Broken {
    pub(super) const ALL: [(Self, &'static [&'static str]); 22] = [
        (Self::OpensAgainWithoutAsking, &["opened_blindly"]),
        (Self::BelievesWebhooks, &["lands_what_was_paid"]),
        (Self::RefundsUnderNewKey, &["refunded_once"]),
        (Self::ForgetsLateMoney, &["no_franc_is_orphaned", "in_time"]),
        (Self::BooksFeeNowhere, &["ledger_is_balanced"]),
        (Self::FreesWithOpenCheckout, &["closed_before_freed"]),
        (Self::LosesEffectOnDeath, &["no_franc_is_orphaned", "holds_end", "comes_to_rest"]),
        (Self::WritesWithoutFence, &["fenced"]),
        (Self::IgnoresThatCellsAreTaken, &["one_holder"]),
        (Self::SendsTextsAgain, &["told_once"]),
        (Self::LandsTwice, &["lands_once", "lands_what_was_paid"]),
        (Self::ConfirmsOnTooLittle, &["lands_what_was_paid"]),
        (Self::ForgetsRefunds, &["no_franc_is_orphaned", "comes_to_rest"]),
        (Self::NeverAsks, &["no_franc_is_orphaned", "in_time", "comes_to_rest"]),
        (Self::KeepsCellsForEver, &["holds_end"]),
        (Self::PaysOutAgain, &["refunded_once"]),
        (Self::ForgetsToReturnMoney, &["in_time", "no_franc_is_orphaned", "comes_to_rest"]),
        (Self::PaysBackOneMore, &["refunded_once"]),
        (Self::LosesCredit, &["no_franc_is_orphaned"]),
        (Self::LedgerForgetsRefunds, &["ledgers_agree"]),
        (Self::TellsNobody, &["comes_to_rest", "in_time"]),
        (Self::AsksTooSoon, &["apart"]),
    ];

    pub(super) const fn says(self) -> &'static str {
        match self {
            Self::OpensAgainWithoutAsking => "opens a checkout once more after a death, without asking for the first",
            Self::BelievesWebhooks => "takes what a webhook says for what the provider knows",
            Self::RefundsUnderNewKey => {
                "sends a refund again under a new key while nobody can tell what became of the first"
            }
            Self::ForgetsLateMoney => "does not take in money of a payment that had ended",
            Self::BooksFeeNowhere => "takes a fee out of the clearing account and enters it nowhere",
            Self::FreesWithOpenCheckout => "lets the hold end although a checkout of it is open",
            Self::LosesEffectOnDeath => "what a worker had in hand when it died is gone",
            Self::WritesWithoutFence => "writes although another worker has taken over",
            Self::IgnoresThatCellsAreTaken => "confirms although somebody else has the cells",
            Self::SendsTextsAgain => "sends a text again when nobody can tell whether it went",
            Self::LandsTwice => "lands the same money each time it is seen",
            Self::ConfirmsOnTooLittle => "settles what was asked for instead of what was paid",
            Self::ForgetsRefunds => "puts a refund down before it is submitted",
            Self::NeverAsks => "never asks: believes that webhooks always come",
            Self::KeepsCellsForEver => "prolongs the hold of an open checkout without an end",
            Self::PaysOutAgain => "pays a payout without a key again after a death",
            Self::ForgetsToReturnMoney => "does not return what was too little when the hold ended",
            Self::PaysBackOneMore => "sends a franc more than is to go back",
            Self::LosesCredit => "does not write down in the client's stream what became their credit",
            Self::LedgerForgetsRefunds => "enters no refund that was paid",
            Self::TellsNobody => "tells nobody that a refund waits to be handed out",
            Self::AsksTooSoon => "asks about a refund while what was lost is on its way",
        }
    }
}
