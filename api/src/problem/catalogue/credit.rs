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
    rule(
        "client.debt",
        ["Pénalité à régler", "A fine is to be paid", "Daan la ngay fay"],
        [
            "Une pénalité d'absence est à régler, ou à contester, avant de réserver : voyez votre solde.",
            "A fine for not having come is to be paid, or appealed, before you book: see your balance.",
            "Daan ngir ñak a ñëw a ngi fay fayul: fay ko, mbaa nga weddi ko, balaa ngay reservee.",
        ],
    ),
    refusal(
        "fine.not_found",
        404,
        [
            ("Pas de pénalité", "Cette réservation n'a pas de pénalité."),
            ("No fine", "There is no fine for this reservation."),
            ("Amul daan", "Reservation bii amul daan."),
        ],
    ),
    rule(
        "fine.over",
        ["Pénalité close", "The fine is over", "Daan bi jeex na"],
        [
            "Cette pénalité est déjà réglée ou levée.",
            "This fine was settled or waived already.",
            "Daan bii fay nañu ko mbaa baal nañu ko ba noppi.",
        ],
    ),
    rule(
        "fine.already_appealed",
        ["Déjà contestée", "Appealed already", "Weddi nañu ko ba noppi"],
        [
            "Cette pénalité a déjà été contestée : cela se fait une fois.",
            "This fine was appealed already: that is done once.",
            "Daan bii weddi nañu ko ba noppi: benn yoon la.",
        ],
    ),
    rule(
        "fine.not_appealed",
        ["Pas contestée", "Not appealed", "Weddiwuñu ko"],
        [
            "Cette pénalité n'est pas contestée : il n'y a rien à maintenir.",
            "This fine is not under appeal: there is nothing to uphold.",
            "Daan bii kenn weddiwu ko: amul lu ñu koy dogal.",
        ],
    ),
    rule(
        "fine.appeal_too_late",
        ["Trop tard pour contester", "Too late to appeal", "Weddi bi yeex na"],
        [
            "Une pénalité se conteste dans les {value} heures.",
            "A fine is appealed within {value} hours.",
            "Daan, ci {value} waxtu lañu koy weddi.",
        ],
    ),
    refusal(
        "client.in_debt",
        409,
        [
            ("Pénalité ouverte", "Cette personne a une pénalité ni réglée ni levée : réglez-la d'abord."),
            ("A fine is open", "This person owes a fine that is neither settled nor waived: settle it first."),
            ("Daan des na", "Nit kii am na daan bu fayagul: fay ko ba noppi."),
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
