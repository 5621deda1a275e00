//! Codes of payouts. `{value}` is what the rule is set to.

use super::{Entry, booking::rule};

pub(super) const ENTRIES: &[Entry] = &[
    rule(
        "payout.not_over",
        ["Période pas finie", "Period not over", "Diir bi jeexul"],
        ["La période finit dans l'avenir.", "The period ends in the future.", "Diir bi jeexagul."],
    ),
    rule(
        "payout.one_at_a_time",
        ["Un à la fois", "One at a time", "Benn ci yoon"],
        [
            "Un reversement de ce terrain n'est pas terminé.",
            "A payout of this site is not over yet.",
            "Am na beneen yonnee xaalis bu jeexagul ci terrain bi.",
        ],
    ),
    rule(
        "payout.before_the_last",
        ["Avant le dernier", "Before the last one", "Bala bu mujj ba"],
        [
            "La période finit avant la fin du reversement précédent.",
            "The period ends before the payout before it did.",
            "Diir bi jeex na bala yonnee bu mujj ba.",
        ],
    ),
    rule(
        "payout.no_account",
        ["Aucun compte convenu", "No account agreed", "Amul compte"],
        [
            "Personne n'a convenu où ce terrain est payé.",
            "Nobody has agreed on where this site is paid.",
            "Kenn waxagul fan lañuy fey terrain bi.",
        ],
    ),
    rule(
        "payout.account_rests",
        ["Nouveau compte", "New account", "Compte bu bees"],
        [
            "Le compte vient d'être changé : rien n'y est versé pendant {value} heures.",
            "The account was changed: nothing is paid to it for {value} hours.",
            "Soppi nañu compte bi : xaaral {value} waxtu.",
        ],
    ),
    rule(
        "payout.account_changed",
        ["Compte changé", "Account changed", "Compte bi soppiku na"],
        [
            "Le terrain est payé ailleurs désormais : rejetez ce reversement et préparez-en un autre.",
            "The site is paid elsewhere now: reject this payout and prepare another.",
            "Feneen lañuy fey léegi : bañal bii te defar beneen.",
        ],
    ),
    rule(
        "payout.held_back",
        ["Argent retenu", "Money held", "Téye nañu xaalis bi"],
        [
            "L'argent du terrain est retenu : {value}.",
            "The site's money is held: {value}.",
            "Téye nañu xaalis bi : {value}.",
        ],
    ),
    rule(
        "payout.below_minimum",
        ["Trop peu", "Too little", "Néew na lool"],
        [
            "Il reste moins que {value} à verser : la somme est reportée.",
            "Less than {value} is left to be paid: it is carried over.",
            "Li des matul {value} : dees na ko yokk ci bu ñëw.",
        ],
    ),
    rule(
        "payout.more_than_payable",
        ["Plus que dû", "More than is owed", "Ëpp na bor bi"],
        [
            "Entre-temps, moins est libre à verser : rejetez ce reversement et préparez-en un autre.",
            "Less is free to be paid by now: reject this payout and prepare another.",
            "Bor bi wàññiku na : bañal bii te defar beneen.",
        ],
    ),
    rule(
        "payout.lines_changed",
        ["Livre différent", "The ledger differs", "Téere bi soppiku na"],
        [
            "Le grand livre ne dit plus ce dont ce reversement a été préparé : quelqu'un doit regarder.",
            "The ledger no longer says what this payout was prepared from: somebody must look.",
            "Téere xaalis bi waxatul loolu : nit war na ko xool.",
        ],
    ),
    rule(
        "payout.role_not_allowed",
        ["Pas votre rôle", "Not your role", "Du sa wàll"],
        ["Seules les finances font cela.", "Only finance does this.", "Finance rekk moo koy def."],
    ),
    rule(
        "payout.name_required",
        ["Nom obligatoire", "Name required", "Tur war na am"],
        [
            "Qui déplace de l'argent le fait sous son nom.",
            "Whoever moves money does so under their name.",
            "Ki yëngal xaalis war na wax turam.",
        ],
    ),
    rule(
        "payout.same_person",
        ["Une seconde personne", "A second person", "Beneen nit"],
        [
            "Un reversement demande deux personnes, et vous êtes déjà l'une d'elles.",
            "A payout takes two persons, and you are one of them already.",
            "Ñaari nit lay laaj, te yow nga ci bokk ba noppi.",
        ],
    ),
    rule(
        "payout.wrong_status",
        ["Pas dans cet état", "Not in this state", "Du ci tolluwaay bii"],
        [
            "Le reversement n'en est pas là, ou n'en est plus là.",
            "The payout is not there yet, or no longer.",
            "Yonnee bi tolluwul foofu.",
        ],
    ),
    rule(
        "payout.outcome_unknown",
        ["Issue inconnue", "Outcome unknown", "Xamaguñu li ci xew"],
        [
            "L'opérateur n'a pas dit ce qu'il en est : lui seul le peut.",
            "The provider has not said what became of it, and only it can.",
            "Opérateur bi rekk moo ko mëna wax.",
        ],
    ),
    rule(
        "payout.at_provider",
        ["Chez l'opérateur", "At the provider", "Ci opérateur bi"],
        ["L'opérateur le paie.", "The provider pays it.", "Opérateur bi moo koy fey."],
    ),
    rule(
        "site.payout_method",
        ["Moyen impossible", "Not by this method", "Du mënu nii"],
        [
            "Rien ne peut être envoyé à un terrain par ce moyen.",
            "Nothing can be sent to a site by this method.",
            "Mënuñu yonnee dara nii.",
        ],
    ),
    rule(
        "site.payout_hold",
        ["Montant à retenir", "Amount to hold", "Xaalis biñuy téye"],
        [
            "On retient plus que rien, dans la monnaie du terrain.",
            "What is held is more than nothing, in the currency of the site.",
            "War na ëpp tus, ci xaalisu terrain bi.",
        ],
    ),
];
