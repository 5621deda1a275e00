//! Codes about a lost PIN, another number, and numbers in other hands. Only whoever has the number, or is signed in, meets them.

use super::{Entry, refusal};

pub(super) const ENTRIES: &[Entry] = &[
    refusal(
        "recovery.not_needed",
        409,
        [
            (
                "Aucun PIN à remplacer",
                "Il n'y a pas de PIN pour ce numéro : connectez-vous avec un code et choisissez-en un.",
            ),
            ("No PIN to replace", "There is no PIN for this number: sign in with a code and choose one."),
            ("Amul PIN bu ñu mën a wecci", "Nimero bii amul PIN: duggeel ak kod te tànn benn."),
        ],
    ),
    refusal(
        "recovery.waiting",
        409,
        [
            (
                "Un nouveau PIN est demandé",
                "Quelqu'un a demandé un nouveau PIN ; il peut être choisi à partir du {until}, et la demande peut être annulée jusque-là.",
            ),
            (
                "A new PIN was asked for",
                "Somebody asked for a new PIN; it can be chosen from {until} on, and can be stopped until then.",
            ),
            (
                "PIN bu bees laaj nañu ko",
                "Am na ku laaj PIN bu bees; mën nañu ko tànn ginaaw {until}, te mën nañu ko taxawal balaa booba.",
            ),
        ],
    ),
    refusal(
        "recovery.over",
        410,
        [
            ("Demande terminée", "Cette demande a été annulée, a abouti, ou n'est pas de cet appareil ; recommencez."),
            ("Over", "This was stopped, came about, or is not of this device; begin again."),
            ("Jeex na", "Laaj gi taxaw na, am na, walla du bu aparey bii; tàmbaliwaatal."),
        ],
    ),
    refusal(
        "client.number_changes",
        409,
        [
            (
                "Le numéro va changer",
                "Un autre numéro remplace celui-ci à partir du {until} ; annulez d'abord ce changement s'il n'est pas de vous.",
            ),
            (
                "The number is about to change",
                "Another number takes the place of this one at {until}; stop that first if it was not you.",
            ),
            (
                "Nimero bi dina soppiku",
                "Beneen nimero dina wecci bii ginaaw {until}; taxawalal loolu laata su dul yaw.",
            ),
        ],
    ),
    refusal(
        "client.same_number",
        422,
        [
            ("C'est déjà votre numéro", "Votre compte a déjà ce numéro."),
            ("It is your number already", "Your account has this number already."),
            ("Mooy sa nimero ba noppi", "Sa konte am na nimero bii ba noppi."),
        ],
    ),
    refusal(
        "client.cooling_off",
        409,
        [
            ("Pas encore", "Le PIN ou le numéro vient de changer : un autre numéro est possible à partir du {until}."),
            ("Not yet", "The PIN or the number changed a moment ago: another number is possible from {until} on."),
            ("Booba agul", "PIN bi walla nimero bi soppiku na léegi: beneen nimero mën na am ginaaw {until}."),
        ],
    ),
    refusal(
        "client.not_idle",
        409,
        [
            (
                "Numéro encore utilisé",
                "Quelqu'un a utilisé ce numéro il y a moins de 90 jours : donnez le PIN, ou demandez-en un nouveau.",
            ),
            (
                "The number is in use",
                "Somebody was here with this number less than 90 days ago: give the PIN, or ask for a new one.",
            ),
            (
                "Nimero bi ñu ngi koy jëfandikoo",
                "Am na ku jëfandikoo nimero bii ci 90 fan yi weesu: joxeel PIN bi, walla laajal bu bees.",
            ),
        ],
    ),
];
