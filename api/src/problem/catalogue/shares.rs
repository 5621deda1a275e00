//! Codes of paying together. `{value}` is what the rule is set to.

use super::{Entry, booking::rule};

pub(super) const ENTRIES: &[Entry] = &[
    rule(
        "reservation.already_split",
        ["Déjà partagé", "Split already", "Séddale nañu ko ba noppi"],
        ["Le montant dû est déjà partagé.", "What is due is split already.", "Bor bi séddale nañu ko ba noppi."],
    ),
    rule(
        "reservation.checkout_open",
        ["Paiement en cours", "A checkout is open", "Fey a ngi ci yoon"],
        [
            "Un paiement est encore ouvert : le partage se fait quand il est fini.",
            "A payment may still be made: what is due can be split when it has ended.",
            "Am na fey gu jeexagul: séddale bi, su jeexee.",
        ],
    ),
    rule(
        "reservation.share_count",
        ["Nombre de parts", "Number of shares", "Limu wàll yi"],
        ["Il y a de 2 à 30 parts.", "There are 2 to 30 shares.", "Wàll yi 2 ba 30 lañu."],
    ),
    rule(
        "reservation.share_too_small",
        ["Part trop petite", "Share too small", "Wàll wi tuuti na lool"],
        [
            "Une part vaut au moins un trentième de ce qui est partagé.",
            "A share is at least a thirtieth of what is split.",
            "Wàll warul gëna tuuti benn ci fanweer.",
        ],
    ),
    rule(
        "reservation.shares_do_not_add_up",
        ["Somme des parts", "Sum of the shares", "Mboolem wàll yi"],
        [
            "La somme des parts n'est pas ce qui est dû.",
            "The shares do not add up to what is due.",
            "Mboolem wàll yi du bor bi.",
        ],
    ),
    rule(
        "reservation.quorum_out_of_range",
        ["Quorum refusé", "Quorum refused", "Kuorum bi baaxul"],
        [
            "Le quorum va de l'acompte à tout ce qui est dû.",
            "The quorum is from the deposit to all that is due.",
            "Kuorum bi ci diggante avance bi ak bor bi yépp la.",
        ],
    ),
    rule(
        "reservation.deadline_out_of_range",
        ["Échéance refusée", "Deadline refused", "Àpp bi baaxul"],
        [
            "L'échéance vient après la fin normale de la retenue et {value} minutes au plus tard avant le début.",
            "The deadline is after the usual end of the hold and at least {value} minutes before the start.",
            "Àpp bi, {value} simili bala match bi lay mujj.",
        ],
    ),
    rule(
        "payment.split",
        ["Montant partagé", "What is due is split", "Séddale nañu ko"],
        [
            "Le montant est partagé : chaque part se paie par son lien.",
            "What is due is split: its shares are paid, each by itself.",
            "Séddale nañu ko: wàll wu nekk ak lienam.",
        ],
    ),
    rule(
        "payment.no_such_share",
        ["Part inconnue", "No such share", "Wàll woowu amul"],
        ["Cette part n'existe pas.", "There is no such share.", "Wàll woowu amul."],
    ),
    rule(
        "payment.share_paid",
        ["Part payée", "The share is paid", "Wàll wi fey nañu ko"],
        ["Cette part est déjà payée.", "The share is paid already.", "Wàll wi fey nañu ko ba noppi."],
    ),
    rule(
        "payment.share_open",
        ["Part en cours de paiement", "The share is being paid", "Wàll waa ngi ci yoon"],
        [
            "Un paiement de cette part est ouvert par ce moyen : payez-le, ou par un autre moyen.",
            "A payment of this share is open by this method: pay there, or by another one.",
            "Am na fey gu ubbeeku ci wàll wi: fey ko fa, walla neneen.",
        ],
    ),
];
