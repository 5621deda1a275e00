//! Codes about proofs, erasures and copies of the past.

use super::{Entry, refusal};

pub(super) const ENTRIES: &[Entry] = &[
    refusal(
        "audit.not_sealed_yet",
        503,
        [
            (
                "Pas encore scellé",
                "La position {position} n'est pas encore sous un point de contrôle signé ; réessayez dans une seconde.",
            ),
            ("Not sealed yet", "Position {position} is not under a signed checkpoint yet; try again in a second."),
            ("Tëjaguñu ko", "Position {position} tëjaguñu ko; jéemaatal ci benn saa."),
        ],
    )
    .retryable(),
    refusal(
        "audit.no_such_position",
        400,
        [
            (
                "Position inexistante",
                "Le journal n'a pas de position {position}, ou la taille de départ dépasse celle d'arrivée.",
            ),
            (
                "No such position",
                "The log has no position {position}, or the size to start from is above the one to end at.",
            ),
            ("Position bi amul", "Téere bi amul position {position}."),
        ],
    ),
    refusal(
        "log.is_a_fork",
        403,
        [
            (
                "Copie du passé",
                "Ceci est une copie du journal tel qu'il était ; rien ne s'y écrit. Adressez-vous au vrai service.",
            ),
            (
                "A copy of the past",
                "This is a copy of the log as it was; nothing is written to it. Ask the service it was made of.",
            ),
            (
                "Nataalu démb",
                "Lii nataalu téere bi la ni mu meloon démb; kenn du ci bind dara. Demal ci serwiis bi ci dëgg.",
            ),
        ],
    ),
    refusal(
        "client.erased",
        409,
        [
            (
                "Personne effacée",
                "Cette personne a demandé l'effacement de ses données ; ce compte ne peut plus servir.",
            ),
            ("Person erased", "This person asked for their data to be erased; this account can no longer be used."),
            ("Nit ki far nañu ko", "Nit kii dafa laaj ñu far ay leeralam; konte bi dootul dox."),
        ],
    ),
    refusal(
        "client.still_expected",
        409,
        [
            (
                "Réservations en cours",
                "Des réservations de cette personne ne sont pas terminées : annulez-les d'abord.",
            ),
            ("Still expected", "Reservations of this person are not over: cancel them first."),
            ("Am na lu des", "Am na ay reservaasioŋ yu jeexagul: neenal leen ba noppi."),
        ],
    ),
];
