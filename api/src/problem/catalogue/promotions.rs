//! Codes of promo codes. `{value}` is what the rule is set to.

use super::{Entry, booking::rule};

pub(super) const ENTRIES: &[Entry] = &[
    rule(
        "promotion.invalid",
        ["Code refusé", "Code refused", "Kod bi baaxul"],
        ["Ce code promo n'est pas valable ici.", "This promo code does not count here.", "Kod promo bii baaxul fii."],
    ),
    rule(
        "promotion.exhausted",
        ["Code épuisé", "Code used up", "Kod bi jeex na"],
        [
            "Il ne reste plus rien de ce code promo.",
            "Nothing is left of this promo code.",
            "Kod promo bii jeex na tàkk.",
        ],
    ),
    rule(
        "promotion.client_limit",
        ["Code déjà utilisé", "Code used already", "Jëfandikoo nga ko ba noppi"],
        [
            "Ce code promo sert au plus {value} fois par personne.",
            "A person may use this promo code at most {value} time(s).",
            "Nit ku nekk, {value} yoon kese la mën a jëfandikoo kod bii.",
        ],
    ),
    rule(
        "promotion.client_required",
        ["Client demandé", "Client needed", "Wax ku koy fo"],
        [
            "Ce code promo compte par personne : dites qui joue.",
            "This promo code is counted by person: say who plays.",
            "Kod bii nit ku nekk lañu koy waññee: waxal ku fo.",
        ],
    ),
    rule(
        "promotion.below_minimum",
        ["Montant trop petit", "Price too small", "Njëg li tuuti na"],
        [
            "Ce code promo vaut à partir de {value}.",
            "This promo code is for prices of {value} and more.",
            "Kod bii, bu njëg li yegge {value} lay dox.",
        ],
    ),
    rule(
        "promotion.other_format",
        ["Autre format", "Another format", "Beneen format"],
        ["Ce code promo est pour : {value}.", "This promo code is for: {value}.", "Kod bii, {value} la ñeel."],
    ),
    rule(
        "promotion.other_day",
        ["Autre jour", "Another day", "Beneen bés"],
        [
            "Ce code promo est pour : {value}.",
            "This promo code is for games on: {value}.",
            "Kod bii, bés yii la ñeel: {value}.",
        ],
    ),
    rule(
        "promotion.out_of_range",
        ["Conditions refusées", "Terms refused", "Sàrt yi baaxuñu"],
        [
            "Une condition du code promo est hors limites.",
            "A term of the promo code is out of range.",
            "Am na sàrt bu baaxul ci kod bi.",
        ],
    ),
    rule(
        "promotion.role_not_allowed",
        ["Pas pour ce rôle", "Not for this role", "Du sa liggéey"],
        [
            "Un code d'un site est à qui le gère ; un code de tous les sites, aux finances.",
            "A code of a site is for whoever runs it; a code of every site for finance.",
            "Kodu terrain, ki koy yor; kodu terrain yépp, finance.",
        ],
    ),
];
