//! Codes of the business: what a site, a policy or a state does not allow.

use super::{Entry, refusal};

pub(super) const ENTRIES: &[Entry] = &[
    refusal(
        "reservation.slot_taken",
        409,
        [
            ("Créneau déjà pris", "Ce terrain est pris à cette heure ; voir `alternatives`."),
            ("Slot taken", "This pitch is taken at that time; see `alternatives`."),
            ("Jël nañu ko", "Terrain bi jël nañu ko ci waxtu woowu; xoolal `alternatives`."),
        ],
    ),
    refusal(
        "reservation.hold_expired",
        410,
        [
            ("Réservation expirée", "Elle n'a pas été payée à temps ; le créneau est de nouveau libre."),
            ("Hold expired", "It was not paid in time; the slot is free again."),
            ("Waxtu wi jeex na", "Feyuñu ko ci waxtu wi; terrain bi dellu na yeewu."),
        ],
    ),
    refusal(
        "reservation.too_many_holds",
        422,
        [
            (
                "Trop de réservations impayées",
                "Au plus {value} réservations impayées à la fois ; payez ou annulez-en une.",
            ),
            ("Too many unpaid holds", "At most {value} unpaid holds; pay or cancel one first."),
            ("Dafa bare lool", "Mënoo am lu ëpp {value} réservation yu feyuñu."),
        ],
    ),
    refusal(
        "quote.expired",
        410,
        [
            ("Devis expiré", "Ce devis n'est plus valable ; demandez-en un autre."),
            ("Quote expired", "This quote is no longer valid; ask for another."),
            ("Devis bi jeex na", "Devis bii jeex na; laajal beneen."),
        ],
    ),
    refusal(
        "quote.invalid",
        422,
        [
            ("Devis refusé", "Ce devis n'est pas le nôtre, n'est pas le vôtre ou a été modifié."),
            ("Quote refused", "This quote is not ours, not yours, or was changed."),
            ("Devis bi baaxul", "Devis bii du sunu bos walla dañu ko soppi."),
        ],
    ),
    refusal(
        "payment.method_not_accepted",
        422,
        [
            ("Moyen de paiement refusé", "Ce site n'accepte pas {value}."),
            ("Method not accepted", "This site does not take {value}."),
            ("Feyin wi mayuñu ko", "Site bi nanguwul {value}."),
        ],
    ),
    refusal(
        "payment.method_not_yours",
        403,
        [
            ("Réservé au gestionnaire", "Seul le gestionnaire enregistre un paiement {value}."),
            ("For the manager", "Only the manager records a {value} payment."),
            ("Gérant bi kese", "Gérant bi rekk a mëna bind fey bu {value}."),
        ],
    ),
    refusal(
        "webhook.unknown_provider",
        404,
        [
            ("Fournisseur inconnu", "Aucun fournisseur de ce nom n'est configuré."),
            ("Unknown provider", "No provider of this name is configured."),
            ("Xamuñu ko", "Amul fournisseur bu tudd noonu."),
        ],
    ),
    refusal(
        "webhook.signature_invalid",
        401,
        [
            ("Signature refusée", "La signature ne correspond pas au corps ou à l'heure."),
            ("Signature refused", "The signature does not match the body or the time."),
            ("Signature bi baaxul", "Signature bi àndul ak li nga yónnee."),
        ],
    ),
    refusal(
        "ticket.invalid",
        422,
        [
            ("Billet refusé", "Ce billet n'est pas signé par nous, ou il a été remplacé."),
            ("Ticket refused", "This ticket is not signed by us, or it was replaced."),
            ("Biye bi baaxul", "Biye bii signe wuñu ko, walla wecci nañu ko."),
        ],
    ),
    refusal(
        "ticket.wrong_code",
        422,
        [
            ("Code incorrect", "Le code ne correspond pas à cette réservation."),
            ("Wrong code", "The code does not belong to this reservation."),
            ("Code bi baaxul", "Code bi du bu réservation bii."),
        ],
    ),
    refusal(
        "test_clock.live_log",
        403,
        [
            ("Journal réel", "L'horloge ne se règle que sur un journal de test."),
            ("Live log", "The clock can be set on a test log only."),
            ("Live la", "Waxtu wi soppeeku na ci test rekk."),
        ],
    ),
];
