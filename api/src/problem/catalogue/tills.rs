//! Codes of receipts, and of the cash drawers of sites. `{value}` is what should be in one.

use super::{Entry, booking::rule};

pub(super) const ENTRIES: &[Entry] = &[
    rule(
        "receipt.nothing_received",
        ["Rien de payé", "Nothing paid", "Fayaguñu dara"],
        [
            "Rien n'a encore été payé pour cette réservation.",
            "Nothing was paid for this reservation yet.",
            "Fayaguñu dara ngir réservation bii.",
        ],
    ),
    rule(
        "till.already_open",
        ["Caisse déjà ouverte", "Till open already", "Kees bi ubbeeku na ba noppi"],
        ["La caisse est déjà ouverte.", "The till is open already.", "Kees bi ubbeeku na ba noppi."],
    ),
    rule(
        "till.not_open",
        ["Caisse fermée", "Till closed", "Kees bi dafa tëj"],
        ["Ouvrez d'abord la caisse.", "Open the till first.", "Ubbil kees bi ba noppi."],
    ),
    rule(
        "till.reason_required",
        ["Dites pourquoi", "Say why", "Waxal lu tax"],
        [
            "La caisse devrait contenir {value} : dites pourquoi il y a un écart.",
            "{value} should be in the till: say why it differs.",
            "{value} moo wara nekk ci kees bi: waxal lu tax mu wuute.",
        ],
    ),
    rule(
        "till.more_than_there",
        ["Trop retiré", "More than there is", "Lu ëpp li fa nekk"],
        [
            "La caisse devrait contenir {value} : on n'en sort pas plus.",
            "{value} should be in the till: no more can be taken out.",
            "{value} moo wara nekk ci kees bi: mënuñu ci génne lu ko ëpp.",
        ],
    ),
    rule(
        "till.nothing_moved",
        ["Rien à retirer", "Nothing to take out", "Amul lu ñuy génne"],
        ["Le montant doit être positif.", "The amount must be more than nothing.", "Xaalis bi dafa wara ëpp tus."],
    ),
    rule(
        "till.counted_further",
        ["Comptée plus loin", "Counted further", "Waññi nañu lu ko weesu"],
        [
            "La caisse a été comptée plus loin entre-temps : réessayez.",
            "The till was counted further meanwhile: try again.",
            "Waññi nañu kees bi lu ko weesu: jéemaatal.",
        ],
    ),
    rule(
        "till.role_not_allowed",
        ["Pas pour ce rôle", "Not for this role", "Du sa liggéey"],
        [
            "La caisse est au caissier et au gérant du site.",
            "The till is for the cashier and the manager of the site.",
            "Kees bi, caissier ak gérant bi ñoo ko moom.",
        ],
    ),
];
