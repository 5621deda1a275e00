//! Codes of what is held of a client, and of what they owe. `{value}` is what the rule is set to.

use super::{Entry, booking::rule, refusal};

pub(super) const ENTRIES: &[Entry] = &[
    rule(
        "credit.insufficient",
        ["Avoir insuffisant", "Not enough credit", "Aj bi doyul"],
        [
            "L'avoir disponible ({value}) ne couvre pas ce qui est dû.",
            "The credit there is ({value}) does not cover what is due.",
            "Aj bi am ({value}) doyul li ñuy fey.",
        ],
    ),
    rule(
        "payment.no_client",
        ["Pas d'avoir", "No credit", "Amul aj"],
        [
            "La réservation n'est à personne de connu : il n'y a pas d'avoir pour la payer.",
            "The reservation is of nobody known: there is no credit to pay it with.",
            "Réservation bi amul boroom: amul aj bu ñu koy feye.",
        ],
    ),
    refusal(
        "client.has_credit",
        409,
        [
            (
                "Avoir restant",
                "Cette personne a un avoir : utilisez-le d'abord, ou renoncez-y avec `forfeit_credit=true`.",
            ),
            ("Credit is left", "This person has credit: spend it first, or give it up with `forfeit_credit=true`."),
            ("Aj des na", "Nit kii am na aj: jëfandikul ko ba noppi, mbaa nga bàyyi ko ak `forfeit_credit=true`."),
        ],
    ),
];
