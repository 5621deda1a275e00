//! Codes about proofs.

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
];
