//! Codes of invoices. `{value}` is what the rule is set to.

use super::{Entry, booking::rule};

pub(super) const ENTRIES: &[Entry] = &[
    rule(
        "invoice.not_over",
        ["Période pas finie", "Period not over", "Diir bi jeexul"],
        ["La période finit dans l'avenir.", "The period ends in the future.", "Diir bi jeexagul."],
    ),
    rule(
        "invoice.before_the_last",
        ["Avant la dernière", "Before the last one", "Bala bu mujj ba"],
        [
            "La période finit avant celle de la facture précédente.",
            "The period ends before that of the invoice before it.",
            "Diir bi jeex na bala faktiir bu mujj ba.",
        ],
    ),
    rule(
        "invoice.below_minimum",
        ["Trop peu", "Too little", "Néew na lool"],
        [
            "Il reste moins que {value} à facturer : la somme est reportée.",
            "Less than {value} is left to be asked for: it is carried over.",
            "Li des matul {value} : dees na ko yokk ci bu ñëw.",
        ],
    ),
    rule(
        "invoice.role_not_allowed",
        ["Pas votre rôle", "Not your role", "Du sa wàll"],
        ["Seules les finances font cela.", "Only finance does this.", "Finance rekk moo koy def."],
    ),
    rule(
        "invoice.name_required",
        ["Nom obligatoire", "Name required", "Tur war na am"],
        [
            "Qui règle une facture le fait sous son nom.",
            "Whoever settles an invoice does so under their name.",
            "Ki fey faktiir war na wax turam.",
        ],
    ),
    rule(
        "invoice.wrong_status",
        ["Pas dans cet état", "Not in this state", "Du ci tolluwaay bii"],
        [
            "La facture est déjà réglée ou annulée.",
            "The invoice is paid or cancelled already.",
            "Faktiir bi fey nañu ko walla far nañu ko.",
        ],
    ),
];
