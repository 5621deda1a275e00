//! Codes that few callers ever meet: what is decided twice, what belongs elsewhere, what only our own workers can ask for.
//! Each has its page all the same.

use super::{Entry, booking::rule};

pub(super) const ENTRIES: &[Entry] = &[
    rule(
        "site.already_registered",
        ["Site déjà inscrit", "Site registered already", "Bërëb bi bindu na ba noppi"],
        ["Ce site existe déjà.", "The site exists already.", "Bërëb bii am na ba noppi."],
    ),
    rule(
        "site.ambiguous_tariffs",
        ["Tarifs ambigus", "Ambiguous tariffs", "Njëg yi dañu jaxasoo"],
        [
            "Deux tarifs de même rang valent au même moment : lequel l'emporte ?",
            "Two tariffs of the same rank apply to the same time: which one wins?",
            "Ñaari njëg yu yam ñoo jot ci benn waxtu: ban mooy ëpp doole?",
        ],
    ),
    rule(
        "site.no_cells",
        ["Aucune partie de terrain", "No cells", "Amul benn xaaju terrain"],
        [
            "Une fermeture nomme au moins une partie de terrain.",
            "A closure needs at least one cell.",
            "Tëj dafa laaj lu gëna tuuti benn xaaju terrain.",
        ],
    ),
    rule(
        "site.no_formats",
        ["Aucun format", "No formats", "Amul benn format"],
        [
            "Un tarif nomme au moins un format.",
            "A tariff names at least one format.",
            "Njëg dafa wara tudd lu gëna tuuti benn format.",
        ],
    ),
    rule(
        "site.tariff_minutes",
        ["Durée de tarif hors limites", "Length of a tariff out of bounds", "Diiru njëg li baaxul"],
        [
            "La durée d'un tarif est hors des limites.",
            "The length that a tariff prices is out of bounds.",
            "Diir bi njëg li di jënd weesu na dayo wi.",
        ],
    ),
    rule(
        "site.tariff_price",
        ["Prix hors limites", "Price out of bounds", "Njëg li weesu na dayo wi"],
        [
            "Le prix d'un tarif est hors des limites.",
            "The price of a tariff is out of bounds.",
            "Njëgu tarif bi weesu na dayo wi.",
        ],
    ),
    rule(
        "quote.out_of_range",
        ["Prix hors limites", "Price out of range", "Njëg li weesu na dayo wi"],
        ["Le prix calculé est hors des limites.", "The price is out of range.", "Njëg li weesu na dayo wi."],
    ),
    rule(
        "money.out_of_range",
        ["Montant hors limites", "Amount out of range", "Xaalis bi weesu na dayo wi"],
        ["Le montant est hors des limites.", "The amount is out of range.", "Xaalis bi weesu na dayo wi."],
    ),
    rule(
        "client.other_number",
        ["Autre numéro", "Another number", "Beneen nimero"],
        [
            "Cette personne est inscrite avec un autre numéro.",
            "The client is registered with another number.",
            "Kiliyaan bi beneen nimero la bindu.",
        ],
    ),
    rule(
        "client.unknown",
        ["Client inconnu", "Unknown client", "Xamuñu kiliyaan bi"],
        ["Cette personne n'existe pas.", "The client does not exist.", "Kiliyaan bii amul."],
    ),
    rule(
        "client.role_not_allowed",
        ["Rôle insuffisant", "Role not allowed", "Sa ndombo mayul"],
        ["Votre rôle ne le permet pas.", "Your role may not do this.", "Sa ndombo mayul loolu."],
    ),
    rule(
        "client.already_credited",
        ["Déjà crédité", "Credited already", "Dugal nañu ko ba noppi"],
        [
            "Ce paiement a déjà été crédité, d'un autre montant.",
            "The payment was already credited, with another amount.",
            "Fey bii dugal nañu ko ba noppi, ak beneen xaalis.",
        ],
    ),
    rule(
        "client.nothing_to_credit",
        ["Rien à créditer", "Nothing to credit", "Amul lu ñu dugal"],
        ["Un crédit est plus que rien.", "A credit must be more than nothing.", "Lu ñuy dugal dafa wara ëpp dara."],
    ),
    rule(
        "fine.still_time",
        ["Encore du temps", "There is still time", "Waxtu jeexagul"],
        [
            "Le site a encore le temps de décider de cet appel.",
            "The site still has time to decide about the appeal.",
            "Bërëb bi am na ba leegi jot ngir dogal.",
        ],
    ),
    rule(
        "key.already_granted",
        ["Clé déjà accordée", "Key granted already", "Caabi ji joxe nañu ko ba noppi"],
        [
            "Cette clé a déjà été accordée, autrement.",
            "The key was already granted, and differently.",
            "Caabi jii joxe nañu ko ba noppi, ci beneen anam.",
        ],
    ),
    rule(
        "key.unknown",
        ["Clé inconnue", "Unknown key", "Xamuñu caabi ji"],
        ["Cette clé n'existe pas.", "The key does not exist.", "Caabi jii amul."],
    ),
    rule(
        "payment.not_found",
        ["Paiement introuvable", "No such payment", "Gisuñu fey gi"],
        ["Ce paiement n'existe pas.", "There is no such payment.", "Fey gii amul."],
    ),
    rule(
        "payment.already_requested",
        ["Paiement déjà demandé", "Payment asked for already", "Fey gi laaj nañu ko ba noppi"],
        ["Ce paiement a déjà été demandé.", "This payment is already asked for.", "Fey gii laaj nañu ko ba noppi."],
    ),
    rule(
        "payment.ended",
        ["Paiement terminé", "Payment over", "Fey gi jeex na"],
        ["Ce paiement est terminé.", "The payment is over.", "Fey gii jeex na."],
    ),
    rule(
        "payment.nothing_received",
        ["Rien reçu", "Nothing received", "Jotuñu dara"],
        ["Ce paiement n'a rien apporté.", "Nothing was received by this payment.", "Fey gii indiwul dara."],
    ),
    rule(
        "payment.other_currency",
        ["Autre monnaie", "Another currency", "Beneen xaalis"],
        [
            "Ce paiement est dans une autre monnaie.",
            "The payment is in another currency.",
            "Fey gii beneen xeetu xaalis la.",
        ],
    ),
    rule(
        "payment.other_checkout",
        ["Autre page de paiement", "Another checkout", "Beneen xëtu fey"],
        [
            "L'opérateur parle d'une autre page de paiement que celle qui est connue.",
            "The provider names another checkout than the one that is known.",
            "Operatër bi beneen xëtu fey lay wax.",
        ],
    ),
    rule(
        "payment.other_reservation",
        ["Autre réservation", "Another reservation", "Beneen réservation"],
        [
            "Ce paiement est celui d'une autre réservation.",
            "The payment is for another reservation.",
            "Fey gii beneen réservation la.",
        ],
    ),
    rule(
        "payment.client_missing",
        ["Client manquant", "Client missing", "Kiliyaan bi manke na"],
        [
            "Un paiement par avoir se décide avec l'avoir du client.",
            "What is paid by credit is decided together with the client's credit.",
            "Fey ak alal bu ñu denc dafa wara ànd ak kiliyaan bi.",
        ],
    ),
    rule(
        "payment.promotion_missing",
        ["Code promo manquant", "Promotion missing", "Kode promo bi manke na"],
        [
            "Le prix a une remise, et son code se décide avec lui.",
            "The price has a discount, and its promotion must be decided with it.",
            "Njëg li am na wàññi, te kode bi dafa wara ànd ak moom.",
        ],
    ),
    rule(
        "payout.by_hand",
        ["Virement à la main", "By hand", "Ci loxo"],
        [
            "Ce reversement se fait à la main, à la banque.",
            "This payout is made by hand, at the bank.",
            "Fey gii ci loxo lañu koy def, ca bànk ba.",
        ],
    ),
    rule(
        "payout.other_movement",
        ["Autre mouvement", "Another movement", "Beneen yëngu"],
        [
            "L'opérateur parle d'un autre mouvement que celui de ce reversement.",
            "The provider speaks of another movement than this payout's.",
            "Operatër bi beneen yëngu lay wax.",
        ],
    ),
    rule(
        "promotion.already_created",
        ["Code déjà créé", "Promotion made already", "Kode bi defar nañu ko ba noppi"],
        [
            "Ce code existe déjà, autrement.",
            "This promotion exists already, and differs.",
            "Kode bii am na ba noppi, te wuute na.",
        ],
    ),
    rule(
        "refund.not_found",
        ["Remboursement introuvable", "No such refund", "Gisuñu delloo bi"],
        ["Ce remboursement n'existe pas.", "There is no such refund.", "Delloo bii amul."],
    ),
    rule(
        "refund.already_requested",
        ["Remboursement déjà demandé", "Refund asked for already", "Delloo bi laaj nañu ko ba noppi"],
        [
            "Ce remboursement a déjà été demandé.",
            "This refund is already asked for.",
            "Delloo bii laaj nañu ko ba noppi.",
        ],
    ),
    rule(
        "refund.no_client",
        ["Aucun client à créditer", "No client to credit", "Amul kiliyaan bu ñu dugal"],
        [
            "Il n'y a personne dont créditer le compte.",
            "There is no client to credit.",
            "Amul kiliyaan bu ñu mëna dugal.",
        ],
    ),
    rule(
        "reservation.not_found",
        ["Réservation introuvable", "No such reservation", "Gisuñu réservation bi"],
        ["Cette réservation n'existe pas.", "There is no such reservation.", "Réservation bii amul."],
    ),
    rule(
        "reservation.already_placed",
        ["Déjà réservé", "Placed already", "Réserwe nañu ko ba noppi"],
        [
            "Cette réservation est déjà faite.",
            "This reservation is already placed.",
            "Réservation bii def nañu ko ba noppi.",
        ],
    ),
    rule(
        "reservation.hold_alive",
        ["Réservation encore tenue", "Hold still alive", "Réservation bi dund na ba leegi"],
        [
            "Le délai de paiement de cette réservation court encore.",
            "The time to pay for this reservation is not over.",
            "Waxtu fey réservation bii jeexagul.",
        ],
    ),
    rule(
        "reservation.not_over",
        ["Match non terminé", "Not over", "Match bi jeexagul"],
        ["Ce match n'est pas encore terminé.", "The game is not over yet.", "Match bi jeexagul."],
    ),
    rule(
        "reservation.client_missing",
        ["Client manquant", "Client missing", "Kiliyaan bi manke na"],
        [
            "Une amende se décide avec le client qui la doit.",
            "A fine is decided together with the client who owes it.",
            "Alamaan dafa wara ànd ak kiliyaan bi ko ameel.",
        ],
    ),
    rule(
        "reservation.payment_missing",
        ["Paiement manquant", "Payment missing", "Fey gi manke na"],
        [
            "Ce qui est rendu se décide avec le paiement d'où cela vient.",
            "What goes back is decided together with the payment it comes from.",
            "Li ñuy delloo dafa wara ànd ak fey gi mu jóge.",
        ],
    ),
];
