//! Codes of reconciliations. `{value}` is what the rule is set to.

use super::{Entry, booking::rule, refusal};

pub(super) const ENTRIES: &[Entry] = &[
    rule(
        "reconciliation.statement_unreadable",
        ["Relevé illisible", "The statement cannot be read", "Relevé bi jàngu wul"],
        [
            "Le fichier a des fautes, voir `lines` : rien n'en est repris.",
            "The file has faults, see `lines`: nothing of it was imported.",
            "Fichier bi am na njuumte, xoolal `lines` : dara jëluñu ci.",
        ],
    ),
    rule(
        "reconciliation.day_not_begun",
        ["Jour à venir", "The day has not begun", "Bés bi ñëwagul"],
        ["Ce jour n'a pas commencé.", "That day has not begun.", "Bés boobu tàmbaliwul."],
    ),
    rule(
        "reconciliation.day_not_ended",
        ["Jour en cours", "The day has not ended", "Bés bi jeexagul"],
        ["Un jour se clôt quand il est fini.", "A day is closed when it has ended.", "Bés su jeexee lañu koy tëj."],
    ),
    rule(
        "reconciliation.no_statement",
        ["Pas de relevé", "No statement", "Amul relevé"],
        [
            "Aucun relevé de ce jour n'a été comparé.",
            "No statement of that day was compared yet.",
            "Benn relevé bu bés boobu méngalewuñu ko.",
        ],
    ),
    rule(
        "reconciliation.closed",
        ["Jour clos", "The day is closed", "Bés bi tëju na"],
        ["Ce jour est clos.", "That day is closed.", "Bés boobu tëju na."],
    ),
    rule(
        "reconciliation.unexplained",
        ["Écarts inexpliqués", "Unexplained differences", "Wuute yu ñu leeralul"],
        [
            "{value} écarts attendent une explication.",
            "{value} differences wait for an explanation.",
            "{value} wuute lañu war a leeral.",
        ],
    ),
    rule(
        "reconciliation.too_many_differences",
        ["Trop d'écarts", "Too many differences", "Wuute yi ëpp nañu"],
        [
            "Plus de {value} écarts : le relevé est d'un autre compte ou d'un autre jour.",
            "More than {value} differences: the statement is of another account or day.",
            "Ëpp na {value} wuute : relevé bi du bu compte bii walla bés bii.",
        ],
    ),
    refusal(
        "reconciliation.unknown_account",
        404,
        [
            ("Compte inconnu", "Aucun compte de ce nom ; il y a {value}."),
            ("Unknown account", "There is no account of that name; there are {value}."),
            ("Compte bi xamuñu ko", "Amul compte bu tudd noonu; am na {value}."),
        ],
    ),
    refusal(
        "reconciliation.no_such_difference",
        404,
        [
            ("Pas d'écart", "Cet écart n'existe pas."),
            ("No such difference", "There is no such difference."),
            ("Amul wuute boobu", "Wuute boobu amul."),
        ],
    ),
    rule(
        "reconciliation.explanation_unfit",
        ["Explication impropre", "The explanation does not fit", "Leeral bi méngoowul"],
        [
            "Cette explication ne convient pas à cet écart.",
            "That does not explain such a difference.",
            "Leeral boobu méngoowul ak wuute bi.",
        ],
    ),
    rule(
        "reconciliation.already_explained",
        ["Déjà expliqué", "Explained already", "Leeral nañu ko ba noppi"],
        [
            "Cet écart a déjà une autre explication.",
            "The difference has another explanation already.",
            "Wuute bi am na beneen leeral.",
        ],
    ),
    rule(
        "reconciliation.role_not_allowed",
        ["Pas votre rôle", "Not your role", "Du sa wàll"],
        [
            "Seules les finances expliquent et clôturent.",
            "Only finance explains and closes.",
            "Finance rekk mooy leeral te tëj.",
        ],
    ),
    rule(
        "reconciliation.account_taken",
        ["Compte en conflit", "The account collides", "Compte bi am na"],
        [
            "Ce nom de compte heurte un autre.",
            "The account's name collides with another's.",
            "Turu compte bi dafa daje ak beneen.",
        ],
    ),
];
