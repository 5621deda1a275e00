//! Codes of endpoints, to which events are sent.

use super::{Entry, booking::rule, refusal};

pub(super) const ENTRIES: &[Entry] = &[
    rule(
        "endpoint.not_encrypted",
        ["Adresse non chiffrée", "Address not encrypted", "Màkkaan bu ñu sànguwul"],
        [
            "L'adresse doit commencer par https://.",
            "The address must begin with https://.",
            "Màkkaan bi dafa wara tàmbalee ak https://.",
        ],
    ),
    refusal(
        "endpoint.replay_running",
        409,
        [
            ("Renvoi en cours", "Un renvoi est déjà en cours pour cette adresse ; attendez qu'il finisse."),
            ("Replay under way", "A replay of this endpoint is under way; wait until it is over."),
            ("Yónneewaat mi ngi daw", "Yónneewaat mi ngi daw ba tey; xaaral mu jeex."),
        ],
    )
    .retryable(),
    rule(
        "endpoint.not_public",
        ["Adresse privée", "Private address", "Màkkaan bu nëbbu"],
        [
            "On n'envoie qu'à une adresse publique d'internet.",
            "Events are sent to addresses on the public internet only.",
            "Ci màkkaan yu fés ci internet rekk lañuy yónnee.",
        ],
    ),
    rule(
        "endpoint.unknown_type",
        ["Événement inconnu", "No such event", "Xew-xew bu ñu xamul"],
        [
            "Un des types demandés n'est pas un événement.",
            "One of the types is no event.",
            "Benn ci xeet yi nekkul xew-xew.",
        ],
    ),
    rule(
        "endpoint.too_many_types",
        ["Trop de types", "Too many types", "Xeet yu ëpp"],
        [
            "Nommez moins de types, ou aucun pour tous.",
            "Name fewer types, or none for all.",
            "Tuddal xeet yu gëna néew, walla bu tudd dara ngir yépp.",
        ],
    ),
    rule(
        "endpoint.no_sites",
        ["Aucun terrain", "No sites", "Amul benn terrain"],
        [
            "Une liste de terrains vide n'enverrait rien : laissez-la de côté.",
            "An empty list of sites would send nothing: leave it out.",
            "Limu terrain bu amul dara du yónnee dara: bàyyil ko.",
        ],
    ),
    refusal(
        "endpoint.may_not_read",
        403,
        [
            ("Lecture non permise", "Il faut une clé qui peut lire les événements (events:read)."),
            ("May not read", "It takes a key that may read events (events:read)."),
            ("Mayul jàng", "Dafa laaj caabi bu mëna jàng xew-xew yi (events:read)."),
        ],
    ),
    rule(
        "endpoint.overlap_too_long",
        ["Trop longtemps", "Too long", "Yàgg na lool"],
        [
            "L'ancien secret signe encore 168 heures au plus.",
            "The secret before signs for 168 hours more at most.",
            "Mbóot mu njëkk mi mën na xaatim 168 waxtu rekk.",
        ],
    ),
    rule(
        "endpoint.too_many",
        ["Trop de points d'envoi", "Too many endpoints", "Barab yu ëpp"],
        [
            "{value} points d'envoi au plus : supprimez-en un.",
            "{value} endpoints at most: remove one.",
            "{value} barab rekk: dindil benn.",
        ],
    ),
    refusal(
        "endpoint.disabled",
        409,
        [
            ("Désactivé", "Rien n'y est envoyé : corrigez d'abord le point d'envoi."),
            ("Disabled", "Nothing is sent there: change the endpoint first."),
            ("Dañu ko tëj", "Duñu fa yónnee dara: soppil barab bi ba noppi."),
        ],
    ),
    rule(
        "endpoint.replay_range",
        ["Intervalle impossible", "No such range", "Digante bu nekkul"],
        [
            "De la première position à la dernière, {value} au plus.",
            "From the first position to the last, {value} at most.",
            "Li dale ci bu njëkk bi ba ci bu mujj bi, {value} rekk.",
        ],
    ),
    refusal(
        "endpoint.already_added",
        409,
        [
            ("Adresse déjà enregistrée", "Cet identifiant est déjà pris."),
            ("Already added", "This identifier is already taken."),
            ("Am na ba noppi", "Tur wii jël nañu ko."),
        ],
    ),
    refusal(
        "endpoint.unknown",
        404,
        [
            ("Adresse inconnue", "Cette adresse d'envoi n'existe pas."),
            ("Unknown endpoint", "There is no such endpoint."),
            ("Xamuñu ko", "Adrees bii amul."),
        ],
    ),
];
