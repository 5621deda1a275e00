//! Codes of what a site, a policy or a key may be set to. `{value}` is what the rule is set to.

use super::{Entry, booking::rule};

pub(super) const ENTRIES: &[Entry] = &[
    rule(
        "site.unknown",
        ["Site inconnu", "Unknown site", "Barab boobu amul"],
        ["Ce site n'existe pas.", "The site does not exist.", "Barab boobu amul."],
    ),
    rule(
        "site.commission",
        ["Commission refusée", "Commission refused", "Komisioŋ bi baaxul"],
        [
            "La commission va de 0 à {value} points de base (10 000 = tout).",
            "The commission is 0 to {value} basis points (10 000 is the whole).",
            "Komisioŋ bi warul ëpp {value} (10 000 mooy lépp).",
        ],
    ),
    rule(
        "site.merchant_account",
        ["Compte refusé", "Account refused", "Kontu baaxul"],
        [
            "Seul un gestionnaire qui encaisse lui-même a son propre compte marchand.",
            "Only where the manager collects does money go through an account of theirs.",
            "Ki jot xaalis bi ci boppam rekk moo am kontam.",
        ],
    ),
    rule(
        "site.unknown_merchant_account",
        ["Compte inconnu", "Unknown account", "Kontu xamees"],
        [
            "Aucun compte marchand {value} n'est configuré.",
            "No merchant account {value} is configured.",
            "Kontu {value} amul.",
        ],
    ),
    rule(
        "site.role_not_allowed",
        ["Rôle refusé", "Role refused", "Sa rôle mayu la ko"],
        [
            "Seule l'administration fixe un contrat.",
            "Only an admin sets a contract.",
            "Administration rekk moo man a tëral kontraa.",
        ],
    ),
    rule(
        "site.name_required",
        ["Nom requis", "Name required", "Tur war na"],
        [
            "Qui fixe un contrat le fait sous son nom.",
            "Whoever sets a contract does so under their name.",
            "Ku tëral kontraa war na joxe turam.",
        ],
    ),
    rule(
        "site.too_many",
        ["Trop d'éléments", "Too many", "Bare na lool"],
        ["Une liste dépasse {value} éléments.", "A list holds more than {value}.", "Limu bi ëpp na {value}."],
    ),
    rule(
        "site.twice",
        ["Doublon", "There twice", "Ñaari yoon"],
        ["Un élément est là deux fois.", "Something is there twice.", "Am na lu nekk ñaari yoon."],
    ),
    rule(
        "site.area",
        ["Emprise refusée", "Footprint refused", "Wàllu suuf bi baaxul"],
        [
            "L'emprise doit enclore du terrain.",
            "The footprint must enclose some ground.",
            "Wàllu suuf bi war na wër dara.",
        ],
    ),
    rule(
        "site.country",
        ["Pays refusé", "Country refused", "Réew mi baaxul"],
        [
            "Le pays s'écrit en deux lettres (ISO 3166-1).",
            "The country has two letters (ISO 3166-1).",
            "Réew mi ñaari araf lay am (ISO 3166-1).",
        ],
    ),
    rule(
        "site.pitch_without_cells",
        ["Terrain sans cellule", "Pitch without cells", "Terrain bu amul wàll"],
        ["Un terrain occupe au moins une cellule.", "A pitch takes at least one cell.", "Terrain war na am benn wàll."],
    ),
    rule(
        "site.unknown_cell",
        ["Cellule inconnue", "Unknown cell", "Wàll boobu amul"],
        [
            "Un terrain nomme une cellule que le site n'a pas.",
            "A pitch names a cell that the site does not have.",
            "Terrain bi tudd na wàll wu amul.",
        ],
    ),
    rule(
        "site.buffer",
        ["Battement refusé", "Buffer refused", "Diggante bi baaxul"],
        [
            "Le battement entre deux matchs est d'au plus {value} minutes.",
            "The buffer after a reservation is at most {value} minutes.",
            "Diggante ñaari match warul ëpp {value} simili.",
        ],
    ),
    rule(
        "site.tariff_unknown_pitch",
        ["Tarif sans terrain", "Tariff for an unknown pitch", "Njëg amul terrain"],
        [
            "Un tarif nomme un terrain que le site n'a pas.",
            "A tariff names a pitch that the site does not have.",
            "Njëg bi tudd na terrain bu amul.",
        ],
    ),
    rule(
        "site.no_days",
        ["Aucun jour", "No days", "Amul bés"],
        [
            "Une plage horaire porte sur un jour au moins.",
            "A time band is for at least one day.",
            "Waxtu yi war nañu am benn bés.",
        ],
    ),
    rule(
        "site.not_whole_minutes",
        ["Minutes entières", "Whole minutes only", "Simili yu mat rekk"],
        [
            "Les heures s'écrivent à la minute.",
            "Times are in whole minutes.",
            "Waxtu yi ci simili yu mat lañu leen di bind.",
        ],
    ),
    rule(
        "site.hours_overlap",
        ["Horaires qui se chevauchent", "Hours overlap", "Waxtu yi dañoo jaxasoo"],
        ["Deux plages d'ouverture se chevauchent.", "Two opening times overlap.", "Ñaari waxtu ubbi dañoo jaxasoo."],
    ),
    rule(
        "site.date",
        ["Date refusée", "Date refused", "Bés bi baaxul"],
        [
            "La date est trop loin pour être planifiée.",
            "The date is too far away to be planned.",
            "Bés bi dafa sori lool.",
        ],
    ),
    rule(
        "site.dates_reversed",
        ["Dates inversées", "Dates reversed", "Bés yi dañoo wëlbatiku"],
        ["La fin précède le début.", "The end is before the start.", "Jeex bi moo jiitu tàmbali bi."],
    ),
    rule(
        "policy.out_of_range",
        ["Hors limites", "Out of range", "Weesu na dayo bi"],
        [
            "Une règle sort de ses limites, {value}.",
            "A rule is beyond its bounds, {value}.",
            "Sàrt bi weesu na dayoom, {value}.",
        ],
    ),
    rule(
        "policy.grid_does_not_divide_the_day",
        ["Grille impossible", "Grid refused", "Grille bi baaxul"],
        [
            "L'intervalle entre deux débuts doit diviser la journée.",
            "The time between two starts must divide the day.",
            "Diggante ñaari tàmbali war na séddale bés bi.",
        ],
    ),
    rule(
        "policy.longest_is_shorter",
        ["Durées inversées", "Lengths reversed", "Diir yi dañoo wëlbatiku"],
        [
            "La durée maximale est plus courte que la minimale.",
            "The longest reservation is shorter than the shortest.",
            "Diir bi gën a gudd moo gën a gàtt ci bi gën a gàtt.",
        ],
    ),
    rule(
        "policy.amount",
        ["Montant refusé", "Amount refused", "Xaalis bi baaxul"],
        [
            "Un montant de la politique est négatif, trop grand ou dans une autre monnaie.",
            "An amount of the policy is negative, too large or in another currency.",
            "Xaalis bi ci sàrt bi baaxul.",
        ],
    ),
    rule(
        "key.revoked",
        ["Clé révoquée", "Key revoked", "Caabi bi dañu ko neenal"],
        [
            "Cette clé ne marche plus : accordez-en une autre.",
            "This key does not work any more: grant another one.",
            "Caabi bii dootul dox: joxeel beneen.",
        ],
    ),
    rule(
        "key.overlap_too_long",
        ["Trop longtemps ensemble", "Together for too long", "Yàgg na lool"],
        [
            "Deux secrets d'une clé ouvrent ensemble au plus une semaine (168 heures).",
            "Two secrets of a key open together for a week (168 hours) at most.",
            "Ñaari sekre caabi mën nañu ubbi ñoom ñaar ayu-bés (168 waxtu) rekk.",
        ],
    ),
    rule(
        "key.no_scope",
        ["Aucun droit", "No scope", "Amul sañ-sañ"],
        ["Une clé a au moins un droit.", "A key needs at least one scope.", "Caabi war na am benn sañ-sañ."],
    ),
    rule(
        "key.no_sites",
        ["Aucun site", "No sites", "Amul barab"],
        [
            "Une liste de sites vide ne permettrait rien ; omettez-la pour ne pas restreindre.",
            "An empty list of sites would let the key do nothing; leave it out not to restrict.",
            "Limu barab bu amul dara du may dara; bàyyi ko su fekkee nga bëgg lépp.",
        ],
    ),
    rule(
        "key.not_for_keys",
        ["Rôle sans clé", "Role without keys", "Wàll wu amul caabi"],
        ["Ce rôle n'a pas de clé.", "No key is made for this role.", "Duñu defar caabi ngir wàll woowu."],
    ),
    rule(
        "key.no_account",
        ["Compte attendu", "Account expected", "Compte lañu laaj"],
        [
            "Une clé est pour un programme, ou pour une personne qui a un compte avec ce rôle.",
            "A key is for a program, or for somebody who has an account with this role.",
            "Caabi ngir porogaraam la, walla ngir nit ku am compte ak wàll woowu.",
        ],
    ),
    rule(
        "key.too_wide",
        ["Droit trop large", "Scope too wide", "Sañ-sañ bu yaatu lool"],
        [
            "Ce rôle ne peut pas avoir ce droit.",
            "The role may not have this scope.",
            "Wàll woowu mënul am sañ-sañ boobu.",
        ],
    ),
];
