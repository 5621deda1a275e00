//! Codes of sites, quotes and reservations: what their rules do not allow. `{value}` is what the rule is set to.

use super::{Entry, refusal};

pub(super) const ENTRIES: &[Entry] = &[
    rule(
        "site.unknown_pitch",
        ["Terrain inconnu", "Unknown pitch", "Terrain bi amul"],
        ["Ce site n'a pas ce terrain.", "The site has no such pitch.", "Barab bi amul terrain boobu."],
    ),
    rule(
        "site.suspended",
        ["Site suspendu", "Site suspended", "Dañu taxawal barab bi"],
        [
            "Ce site ne prend pas de réservations pour le moment : {value}.",
            "The site cannot be booked at the moment: {value}.",
            "Barab bi du nangu réservation leegi: {value}.",
        ],
    ),
    rule(
        "site.off_grid",
        ["Heure de début impossible", "Start off the grid", "Waxtu tàmbali bi baaxul"],
        [
            "Les réservations commencent toutes les {value} minutes.",
            "Reservations start every {value} minutes.",
            "Réservation yi {value} simili yu nekk lañuy tàmbali.",
        ],
    ),
    rule(
        "site.length_off_grid",
        ["Durée impossible", "Length off the grid", "Diir bi baaxul"],
        [
            "La durée est un multiple de {value} minutes.",
            "A reservation lasts a multiple of {value} minutes.",
            "Diir bi war na nekk ay {value} simili.",
        ],
    ),
    rule(
        "site.too_short",
        ["Trop court", "Too short", "Dafa gàtt"],
        ["Au moins {value} minutes.", "At least {value} minutes.", "Gën gaa néew {value} simili."],
    ),
    rule(
        "site.too_long",
        ["Trop long", "Too long", "Dafa gudd"],
        ["Au plus {value} minutes.", "At most {value} minutes.", "Gën gaa bare {value} simili."],
    ),
    rule(
        "site.in_the_past",
        ["Heure passée", "In the past", "Waxtu wi weesu na"],
        [
            "Le début est passé ; au plus tôt {value}.",
            "The start is in the past; {value} at the earliest.",
            "Waxtu wi weesu na; {value} mooy li gën a gaaw.",
        ],
    ),
    rule(
        "site.too_soon",
        ["Trop tôt", "Too soon", "Gaaw na lool"],
        [
            "Il faut réserver au moins {value} minutes avant le début.",
            "Book at least {value} minutes before the start.",
            "Dangay réserver {value} simili laata muy tàmbali.",
        ],
    ),
    rule(
        "site.too_far",
        ["Trop loin", "Too far ahead", "Sori na lool"],
        [
            "On réserve au plus {value} jours à l'avance.",
            "Book at most {value} days ahead.",
            "Mënuloo réserver lu ëpp {value} fan.",
        ],
    ),
    rule(
        "site.not_open",
        ["Fermé à cette heure", "Not open then", "Ubbiwul ci waxtu woowu"],
        [
            "Le site n'est pas ouvert pendant toute la durée demandée.",
            "The site is not open during the whole time.",
            "Barab bi ubbiwul ci diir bi yépp.",
        ],
    ),
    rule(
        "site.closed",
        ["Fermeture exceptionnelle", "Closed", "Tëj nañu ko"],
        [
            "Le terrain est fermé à cette date (travaux, météo ou tournoi).",
            "The pitch is closed at that time (maintenance, weather or a tournament).",
            "Terrain bi dañu ko tëj ci bés boobu.",
        ],
    ),
    rule(
        "site.unknown_closure",
        ["Fermeture inconnue", "Unknown closure", "Tëj boobu amul"],
        ["Ce site n'a pas cette fermeture.", "The site has no such closure.", "Barab bi amul tëj boobu."],
    ),
    rule(
        "site.closure_ended",
        ["Fermeture terminée", "Closure over", "Tëj bi jeex na"],
        ["Cette fermeture est terminée.", "The closure has ended.", "Tëj bi jeex na."],
    ),
    rule(
        "site.too_many_hits",
        ["Trop de réservations touchées", "Too many reservations hit", "Réservation yu bare lool"],
        [
            "Une fermeture annule au plus {value} réservations ; faites-en plusieurs.",
            "A closure cancels at most {value} reservations; make several.",
            "Benn tëj mënul neenal lu ëpp {value} réservation.",
        ],
    ),
    rule(
        "quote.no_tariff",
        ["Aucun tarif", "No tariff", "Njëg amul"],
        [
            "Aucun tarif ne couvre toute la durée : elle n'est pas en vente.",
            "No tariff covers the whole time: it is not for sale.",
            "Njëg amul ci diir bi yépp: du jaay.",
        ],
    ),
    rule(
        "quote.not_whole_slots",
        ["Créneaux entiers", "Whole slots only", "Créneau yu mat rekk"],
        [
            "Ce tarif se vend par créneaux entiers de {value} minutes.",
            "This tariff sells whole slots of {value} minutes.",
            "Njëg bii {value} simili yu mat lay jaay.",
        ],
    ),
    rule(
        "reservation.not_held",
        ["Plus en attente", "Not held", "Nekkatul ci négandiku"],
        [
            "Possible seulement tant que la réservation attend son paiement.",
            "Only possible while the reservation is held.",
            "Mënoon na am bi réservation bi nekkee ci négandiku.",
        ],
    ),
    rule(
        "reservation.not_confirmed",
        ["Pas confirmée", "Not confirmed", "Dëggalaguñu ko"],
        [
            "Possible seulement pour une réservation confirmée.",
            "Only possible while the reservation is confirmed.",
            "Réservation bu ñu dëggal rekk.",
        ],
    ),
    rule(
        "reservation.over",
        ["Terminée", "Over", "Jeex na"],
        ["Le match est déjà terminé.", "It has already ended.", "Match bi jeex na."],
    ),
    rule(
        "reservation.too_early_to_check_in",
        ["Trop tôt pour entrer", "Too early to check in", "Gaaw na ngir dugg"],
        [
            "L'entrée ouvre {value} minutes avant le début.",
            "Check-in opens {value} minutes before the start.",
            "Dugg bi {value} simili laata muy tàmbali lay ubbeeku.",
        ],
    ),
    rule(
        "reservation.too_late_to_check_in",
        ["Trop tard pour entrer", "Too late to check in", "Weesu na ngir dugg"],
        [
            "L'entrée ferme à la fin de la réservation.",
            "Check-in closed with the end of the reservation.",
            "Dugg bi tëju na bi réservation bi jeexee.",
        ],
    ),
    rule(
        "reservation.already_checked_in",
        ["Billet déjà utilisé", "Ticket already used", "Jëfandikoo nañu billet bi"],
        ["Un billet ne sert qu'une fois.", "A ticket is used once.", "Benn yoon rekk lañuy jëfandikoo billet bi."],
    ),
    rule(
        "reservation.too_late_to_reschedule",
        ["Trop tard pour déplacer", "Too late to move", "Weesu na ngir toxal"],
        [
            "On déplace une réservation au plus tard {value} minutes avant le début.",
            "A reservation is moved at least {value} minutes before the start.",
            "{value} simili laata muy tàmbali nga mën koo toxal.",
        ],
    ),
    rule(
        "reservation.reschedules_used",
        ["Déjà déplacée", "Already moved", "Toxal nga ko ba noppi"],
        [
            "Une réservation se déplace au plus {value} fois.",
            "A reservation can be moved {value} time(s).",
            "{value} yoon rekk nga mën koo toxal.",
        ],
    ),
    rule(
        "reservation.other_site",
        ["Autre site", "Another site", "Beneen barab"],
        [
            "On ne déplace une réservation qu'au sein de son site.",
            "A reservation can only be moved within its site.",
            "Ci barab bi rekk nga mën a toxal réservation bi.",
        ],
    ),
    rule(
        "reservation.reason_required",
        ["Motif obligatoire", "Reason required", "Wax lu tax"],
        [
            "Qui gère le site doit dire pourquoi.",
            "Whoever runs the site must say why.",
            "Ki yor barab bi war na wax lu tax.",
        ],
    ),
    rule(
        "reservation.role_not_allowed",
        ["Pas votre rôle", "Not your role", "Du sa wàll"],
        ["Votre rôle ne permet pas cette action.", "Your role may not do this.", "Sa wàll mayul loolu."],
    ),
];

/// A rule that says no: titles and sentences in the order fr, en, wo.
pub(super) const fn rule(code: &'static str, titles: [&'static str; 3], details: [&'static str; 3]) -> Entry {
    let [title_fr, title_en, title_wo] = titles;
    let [fr, en, wo] = details;
    refusal(code, 422, [(title_fr, fr), (title_en, en), (title_wo, wo)])
}
