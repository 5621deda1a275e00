//! Codes of payments and refunds: what their rules do not allow. `{value}` is what the rule is set to.

use super::{Entry, booking::rule};

pub(super) const ENTRIES: &[Entry] = &[
    rule(
        "payment.nothing_due",
        ["Rien à payer", "Nothing due", "Amul lu ñuy fey"],
        ["Rien n'est dû pour cet objet.", "Nothing is due for this purpose.", "Amul bor ci loolu."],
    ),
    rule(
        "payment.not_payable",
        ["Ne se paie pas", "Not payable", "Mënuñu ko fey"],
        [
            "Dans son état, la réservation ne prend pas ce paiement.",
            "As it stands, the reservation takes no payment of this kind.",
            "Ni réservation bi nekkee, du nangu fey gii.",
        ],
    ),
    rule(
        "payment.may_be_paid",
        ["Peut-être payé", "It may be paid", "Amaana fey nañu ko"],
        [
            "Personne ne sait encore si c'est payé : nous demandons à l'opérateur. Ne payez pas deux fois.",
            "Nobody can tell yet whether it is paid: the provider is being asked. Do not pay twice.",
            "Xamaguñu ndax fey nañu ko : ñu ngi laaj opérateur bi. Bul fey ñaari yoon.",
        ],
    ),
    rule(
        "payment.by_hand",
        ["À enregistrer sur place", "Recorded by hand", "Ci barab bi lañu koy bind"],
        [
            "Ce moyen n'est pas demandé à un opérateur : qui reçoit l'argent l'enregistre.",
            "This method is not asked for at a provider: whoever takes the money records it.",
            "Ki jot xaalis bi moo koy bind.",
        ],
    ),
    rule(
        "payment.at_provider",
        ["Chez l'opérateur", "At the provider", "Ci opérateur bi"],
        [
            "Ce moyen passe par son opérateur et ne s'enregistre pas à la main.",
            "This method moves at its provider and cannot be recorded by hand.",
            "Opérateur bi moo koy def, mënuñu ko bind ak loxo.",
        ],
    ),
    rule(
        "payment.role_not_allowed",
        ["Pas votre rôle", "Not your role", "Du sa wàll"],
        [
            "Votre rôle ne permet pas d'enregistrer ce paiement.",
            "Your role may not record this payment.",
            "Sa wàll mayul bind fey gii.",
        ],
    ),
    rule(
        "payment.name_required",
        ["Nom obligatoire", "Name required", "Tur war na am"],
        [
            "Qui enregistre de l'argent le fait sous son nom.",
            "Whoever records money does so under their name.",
            "Ki bind xaalis war na wax turam.",
        ],
    ),
    rule(
        "payment.more_than_due",
        ["Plus que dû", "More than is due", "Ëpp na bor bi"],
        [
            "Le montant dépasse ce qui reste à payer.",
            "The amount is more than what is due.",
            "Xaalis bi ëpp na li des.",
        ],
    ),
    rule(
        "payment.below_deposit",
        ["Moins que l'acompte", "Less than the deposit", "Yégul acompte bi"],
        [
            "Le montant ne couvre pas l'acompte qui confirme.",
            "The amount is less than the deposit that confirms.",
            "Xaalis bi yégul acompte biy dëggal.",
        ],
    ),
    rule(
        "refund.not_received",
        ["Jamais reçu", "Never received", "Jotuñu ko"],
        [
            "On ne rembourse que de l'argent reçu.",
            "Only money that was received can be refunded.",
            "Xaalis bu ñu jot rekk lañuy delloo.",
        ],
    ),
    rule(
        "refund.more_than_captured",
        ["Plus que reçu", "More than was captured", "Ëpp na li ñu jot"],
        [
            "Le montant dépasse ce qui peut encore être remboursé.",
            "The amount is more than what can still be refunded.",
            "Xaalis bi ëpp na li ñu mën a delloo.",
        ],
    ),
    rule(
        "refund.nothing_to_refund",
        ["Rien à rembourser", "Nothing to refund", "Amul lu ñuy delloo"],
        ["Un remboursement vaut plus que zéro.", "A refund is more than nothing.", "Delloo bi war na ëpp tus."],
    ),
    rule(
        "refund.reservation_open",
        ["Réservation en cours", "Reservation still open", "Réservation baa ngi fi ba tey"],
        [
            "Annulez plutôt la réservation : l'argent suit.",
            "Cancel the reservation instead: the money follows.",
            "Neenalal réservation bi: xaalis bi dina ci topp.",
        ],
    ),
    rule(
        "refund.role_not_allowed",
        ["Pas votre rôle", "Not your role", "Du sa wàll"],
        ["Votre rôle ne permet pas cette action.", "Your role may not do this.", "Sa wàll mayul loolu."],
    ),
    rule(
        "refund.name_required",
        ["Nom obligatoire", "Name required", "Tur war na am"],
        [
            "Qui déplace de l'argent le fait sous son nom.",
            "Whoever moves money does so under their name.",
            "Ki yëngal xaalis war na wax turam.",
        ],
    ),
    rule(
        "refund.same_person",
        ["Quatre yeux", "Four eyes", "Ñaari nit"],
        [
            "Au-dessus de {value}, une autre personne doit approuver.",
            "Above {value}, another person must approve.",
            "Su ëppee {value}, beneen nit moo koy nangu.",
        ],
    ),
    rule(
        "refund.wrong_status",
        ["Plus possible", "No longer possible", "Mënatul a am"],
        [
            "Dans son état, le remboursement ne le permet pas.",
            "As it stands, the refund does not allow this.",
            "Ni delloo bi nekkee, mayul loolu.",
        ],
    ),
    rule(
        "refund.at_provider",
        ["Chez l'opérateur", "At the provider", "Ci opérateur bi"],
        [
            "L'opérateur paie ce remboursement ; il ne se remet pas à la main.",
            "The provider pays this refund: it is not handed out.",
            "Opérateur bi moo koy fey, du ci loxo.",
        ],
    ),
    rule(
        "refund.still_asked",
        ["L'opérateur est encore interrogé", "Still being asked about", "Ñu ngi koy laaj ba leegi"],
        [
            "L'opérateur est interrogé pendant 72 heures ; ensuite deux personnes peuvent dire ce qu'il en est.",
            "The provider is asked for 72 hours; after that two people may say what became of it.",
            "Dañuy laaj opérateur bi 72 waxtu; ginaaw loolu ñaari nit mën nañu wax lu ci xew.",
        ],
    ),
    rule(
        "refund.same_word",
        ["Il faut une autre personne", "Another person is needed", "Fàww keneen"],
        [
            "Vous l'avez déjà dit : une autre personne doit dire la même chose.",
            "You have said so already: somebody else must say the same.",
            "Wax nga ko ba noppi: keneen war na wax lu ni mel.",
        ],
    ),
    rule(
        "refund.other_movement",
        ["Un autre mouvement", "Another movement", "Beneen yëngu"],
        [
            "L'opérateur en a déjà nommé un autre pour ce remboursement.",
            "The provider has already named another one for this refund.",
            "Opérateur bi tudd na beneen ci delloo bii.",
        ],
    ),
    rule(
        "refund.may_be_ours",
        ["Peut-être le nôtre", "It may be ours", "Mën na nekk suñu bos"],
        [
            "Un de nos remboursements de ce paiement est en route : l'opérateur dira d'abord ce qu'il en est.",
            "A refund of ours of the same payment is on its way: its provider is asked about that first. Try again later.",
            "Benn ci suñu delloo a ngi ci yoon wi: nañu xaar li opérateur bi di wax.",
        ],
    ),
    rule(
        "refund.other_provider",
        ["Un autre opérateur", "Another provider", "Beneen opérateur"],
        [
            "L'argent n'était pas venu par là : demandez plutôt un remboursement.",
            "The money did not come by it: ask for a refund instead.",
            "Xaalis bi jaarul foofu: laajal delloo.",
        ],
    ),
    rule(
        "refund.outcome_unknown",
        ["Issue inconnue", "Outcome unknown", "Xamaguñu li ci xew"],
        [
            "L'opérateur n'a pas encore dit ce qu'il en est ; jamais un second envoi avant.",
            "Only the provider's answer leads on, never another try.",
            "Opérateur bi rekk mën na ko wax; duñu ko yónneewaat.",
        ],
    ),
    rule(
        "refund.by_hand",
        ["À la main", "By hand", "Ak loxo"],
        [
            "Ce remboursement est remis par une personne.",
            "This refund goes by hand: a person does it.",
            "Nit moo koy joxe ak loxo.",
        ],
    ),
];
