//! Codes about signing in. None of them tells whether anybody is known, before the number is proven.

use super::{Entry, refusal};

pub(super) const ENTRIES: &[Entry] = &[
    refusal(
        "challenge.wrong_code",
        422,
        [
            ("Code incorrect", "Ce n'est pas le code envoyé ; il reste {tries_left} essais."),
            ("Wrong code", "This is not the code that was sent; {tries_left} tries are left."),
            ("Kod bi baaxul", "Du kod bi nu la yónnee; {tries_left} jéem ñoo des."),
        ],
    ),
    refusal(
        "challenge.over",
        410,
        [
            ("Demande terminée", "Ce code n'est plus valable, a déjà servi ou n'est pas pour cet appareil ; demandez-en un autre."),
            ("Over", "This code is no longer good, was used, or is not for this device; ask for another."),
            ("Jeex na", "Kod bi jeex na, jëfandikoo nañu ko walla du bu aparey bii; laajal beneen."),
        ],
    ),
    refusal(
        "challenge.not_proven",
        409,
        [
            ("Code attendu", "Donnez d'abord le code : `POST /v1/challenges/{id}/proof`."),
            ("Code expected", "Give the code first: `POST /v1/challenges/{id}/proof`."),
            ("Kod bi laata", "Joxeel kod bi laata: `POST /v1/challenges/{id}/proof`."),
        ],
    ),
    refusal(
        "challenge.too_many",
        429,
        [
            ("Trop de codes", "Un autre code peut être envoyé dans {seconds} s."),
            ("Too many codes", "Another code can be sent in {seconds} s."),
            ("Kod yi ëpp nañu", "Mën nañu yónnee beneen kod ginaaw {seconds} s."),
        ],
    )
    .retryable(),
    refusal(
        "challenge.locked",
        429,
        [
            ("Trop de codes incorrects", "Trop de codes incorrects pour ce numéro ; réessayez dans {seconds} s, ou avec votre PIN sur un appareil connu."),
            ("Too many wrong codes", "Too many wrong codes for this number; try again in {seconds} s, or with your PIN on a device that is known."),
            ("Kod yu baaxul yi ëpp nañu", "Kod yu baaxul yu bari ci nimero bii; jéemaatal ginaaw {seconds} s, walla ak sa PIN ci aparey bu ñu xam."),
        ],
    )
    .retryable(),
    refusal(
        "challenge.work_required",
        429,
        [
            ("Un petit calcul est demandé", "Quelqu'un essaie des codes au hasard : trouvez `work` tel que SHA-256 de `salt:work` commence par `bits` bits nuls, et renvoyez la demande."),
            ("A little work is asked for", "Somebody tries codes at random: find `work` such that SHA-256 of `salt:work` begins with `bits` zero bits, and ask again."),
            ("Liggéey bu ndaw laaj nañu ko", "Am na ku jéem kod yu bari: wutal `work` bu SHA-256 bu `salt:work` tàmbalee ak `bits` bit yu tus, te laajaat."),
        ],
    )
    .retryable(),
    refusal(
        "challenge.country",
        422,
        [
            ("Pays non desservi", "Les codes ne sont envoyés qu'aux numéros mobiles du Sénégal."),
            ("Country not served", "Codes are sent to Senegalese mobile numbers only."),
            ("Réew mi bokkul", "Kod yi, nimero Senegaal rekk lañuy yónnee."),
        ],
    ),
    refusal(
        "challenge.unavailable",
        503,
        [
            ("Codes épuisés", "Plus aucun code ne peut être envoyé pour le moment ; votre PIN ouvre toujours sur un appareil connu."),
            ("No codes left", "No code can be sent for now; your PIN still opens on a device that is known."),
            ("Kod yi jeex nañu", "Mënuñu yónnee kod léegi; sa PIN dafay ubbi ba tey ci aparey bu ñu xam."),
        ],
    )
    .retryable(),
    refusal(
        "pin.wrong",
        422,
        [
            ("PIN incorrect", "Il reste {tries_left} essais."),
            ("Wrong PIN", "{tries_left} tries are left."),
            ("PIN bi baaxul", "{tries_left} jéem ñoo des."),
        ],
    ),
    refusal(
        "pin.locked",
        429,
        [
            ("PIN bloqué", "Trop de PIN incorrects ; réessayez dans {seconds} s, avec un code si `needs_code` le dit."),
            ("PIN locked", "Too many wrong PINs; try again in {seconds} s, with a code as well if `needs_code` says so."),
            ("PIN bi tëj na", "PIN yu baaxul yi ëpp nañu; jéemaatal ginaaw {seconds} s, ak kod su ko `needs_code` waxee."),
        ],
    )
    .retryable(),
    refusal(
        "pin.too_simple",
        422,
        [
            ("PIN trop simple", "Six chiffres, sans suite, ni répétition, ni date de naissance, ni l'un de ceux que tout le monde prend."),
            ("PIN too simple", "Six digits, and none that count up, repeat, are a birthday or are what everybody takes."),
            ("PIN bi yomb na", "Juróom benni limu, yu toppaloowul, yu baamuwul, du bisu juddu."),
        ],
    ),
    refusal(
        "pin.required",
        422,
        [
            ("PIN absent", "Il n'y a pas encore de PIN : connectez-vous avec un code et choisissez-en un."),
            ("No PIN yet", "There is no PIN yet: sign in with a code and choose one."),
            ("PIN amul", "PIN amul ba tey: duggeel ak kod te tànn benn."),
        ],
    ),
    refusal(
        "pin.exists",
        409,
        [
            ("PIN déjà choisi", "Un PIN a été choisi entre-temps ; recommencez avec lui."),
            ("PIN already there", "A PIN was chosen meanwhile; begin again with it."),
            ("PIN am na", "PIN tànn nañu ko ba noppi; tàmbaliwaatal ak moom."),
        ],
    ),
    refusal(
        "session.ended",
        401,
        [
            ("Session terminée", "La session est terminée ou inconnue ; connectez-vous."),
            ("Session ended", "The session has ended or is unknown; sign in."),
            ("Session bi jeex na", "Session bi jeex na; duggaatal."),
        ],
    ),
    refusal(
        "session.token_reused",
        401,
        [
            ("Jeton déjà utilisé", "Ce jeton a servi deux fois : par prudence la session est terminée. Connectez-vous."),
            ("Token used twice", "This token came a second time: to be safe the session has ended. Sign in."),
            ("Jeton bi jëfandikoo nañu ko", "Jeton bi ñaari yoon la ñëw: session bi tëj nañu ko. Duggaatal."),
        ],
    ),
    refusal(
        "session.required",
        403,
        [
            ("Session demandée", "Cela demande une personne connectée ; une clé ne suffit pas."),
            ("Session required", "This wants somebody who is signed in; a key does not do."),
            ("Session lañu laaj", "Lii nit ku dugg la laaj; caabi doyul."),
        ],
    ),
    refusal(
        "device.unknown",
        404,
        [
            ("Appareil inconnu", "Cet appareil n'est pas lié."),
            ("Unknown device", "This device is not bound."),
            ("Aparey bi xamuñu ko", "Aparey bii boole wuñu ko."),
        ],
    ),
    refusal(
        "account.exists",
        409,
        [
            ("Adresse déjà prise", "Cette adresse a déjà un compte."),
            ("Address taken", "This address has an account already."),
            ("Adrees bi jël nañu ko", "Adrees bii am na compte ba noppi."),
        ],
    ),
    refusal(
        "account.same_person",
        422,
        [
            ("Une autre personne est demandée", "Cela demande une seconde personne, et jamais soi-même."),
            ("Somebody else is needed", "This takes a second person, and never oneself."),
            ("Beneen nit lañu laaj", "Lii ñaari nit la laaj, du sa bopp."),
        ],
    ),
    refusal(
        "account.not_approved",
        403,
        [
            ("Pas encore approuvé", "Une seconde personne de l'administration doit encore approuver ce compte."),
            ("Not approved yet", "A second admin has to approve this account."),
            ("Nanguwaguñu ko", "Beneen admin moo ko wara nangu."),
        ],
    ),
    refusal(
        "account.suspended",
        403,
        [
            ("Compte suspendu", "Ce compte est suspendu ; adressez-vous à l'administration."),
            ("Account suspended", "This account is suspended; ask an admin."),
            ("Compte bi taxaw na", "Compte bii dañu ko taxawal; laajal admin bi."),
        ],
    ),
    refusal(
        "account.changed",
        409,
        [
            ("Compte modifié", "Votre compte vient de changer ; réessayez."),
            ("Account changed", "Your account has just changed; try again."),
            ("Compte bi soppiku na", "Sa compte soppiku na léegi; jéemaatal."),
        ],
    )
    .retryable(),
    refusal(
        "session.refused",
        401,
        [
            ("Connexion refusée", "L'adresse, la phrase secrète ou le code n'est pas le bon."),
            ("Sign-in refused", "Address, passphrase or code is not right."),
            ("Dugg bi bañ nañu ko", "Adrees bi, baat bu nëbbu bi walla kod bi baaxul."),
        ],
    ),
    refusal(
        "session.locked",
        429,
        [
            ("Connexion bloquée", "Trop d'essais ; réessayez dans {seconds} s."),
            ("Sign-in locked", "Too many tries; try again in {seconds} s."),
            ("Dugg bi tëj na", "Jéem yi ëpp nañu; jéemaatal ginaaw {seconds} s."),
        ],
    )
    .retryable(),
    refusal(
        "session.step_up_required",
        403,
        [
            ("Preuve demandée", "Confirmez que c'est bien vous : `POST /v1/sessions/current/step-up`."),
            ("Prove yourself once more", "Show that it is you: `POST /v1/sessions/current/step-up`."),
            ("Firndeel ne yaw la", "Wonal ne yaw la: `POST /v1/sessions/current/step-up`."),
        ],
    )
    .retryable(),
    refusal(
        "passphrase.too_weak",
        422,
        [
            ("Phrase secrète trop faible", "Douze caractères au moins, et pas ce que tout le monde prend ; quatre mots valent mieux."),
            ("Passphrase too weak", "Twelve characters at least, and not what everybody takes; four words are best."),
            ("Baat bu nëbbu bi néew na doole", "Fukk araf ak ñaar lu gëna néew, te bumu nekk li ñépp di jël; ñeenti baat a gën."),
        ],
    ),
    refusal(
        "invitation.over",
        410,
        [
            ("Invitation terminée", "L'invitation a expiré, a déjà servi ou a été remplacée ; demandez-en une autre."),
            ("Invitation over", "The invitation expired, was used or was replaced; ask for another."),
            ("Woote bi jeex na", "Woote bi jeex na walla jëfandikoo nañu ko; laajal beneen."),
        ],
    ),
    refusal(
        "invitation.not_enrolled",
        409,
        [
            ("Application attendue", "Réglez d'abord une application d'authentification : `POST /v1/invitations/enrolment`."),
            ("App expected", "Set up an authenticator app first: `POST /v1/invitations/enrolment`."),
            ("Aplikasioŋ laata", "Defaral aplikasioŋu authentification laata: `POST /v1/invitations/enrolment`."),
        ],
    ),
    refusal(
        "invitation.wrong_code",
        422,
        [
            ("Code incorrect", "Ce n'est pas le code que montre l'application ; vérifiez son heure."),
            ("Wrong code", "This is not the code that the app shows; check its clock."),
            ("Kod bi baaxul", "Du kod bi aplikasioŋ bi di wone; saytul waxtu wi."),
        ],
    ),
    refusal(
        "passphrase.wrong",
        422,
        [
            ("Preuve refusée", "La phrase secrète ou le code n'est pas le bon."),
            ("Not proven", "Passphrase or code is not right."),
            ("Firnde bi baaxul", "Baat bu nëbbu bi walla kod bi baaxul."),
        ],
    ),
    refusal(
        "account.accepted",
        422,
        [
            ("Invitation déjà acceptée", "Cette personne travaille déjà ici."),
            ("Already accepted", "They work here already."),
            ("Nangu na ba noppi", "Nit kooku fii lay liggéey ba noppi."),
        ],
    ),
    refusal(
        "account.not_accepted",
        422,
        [
            ("Invitation non acceptée", "Cette personne n'a pas encore accepté l'invitation."),
            ("Not accepted yet", "They have not accepted the invitation yet."),
            ("Nanguwagul", "Nit kooku nanguwagul woote bi."),
        ],
    ),
    refusal(
        "account.nothing_proposed",
        422,
        [
            ("Rien à approuver", "Aucun autre rôle n'a été proposé."),
            ("Nothing to approve", "No other role was proposed."),
            ("Dara amul", "Kenn digalul beneen liggéey."),
        ],
    ),
    refusal(
        "account.no_such_role",
        422,
        [
            ("Rôle impossible", "Personne n'est invité avec ce rôle."),
            ("No such role", "Nobody is invited with this role."),
            ("Liggéey bi amul", "Kenn mënul a woo nit ci liggéey boobu."),
        ],
    ),
    refusal(
        "account.no_sites",
        422,
        [
            ("Terrain attendu", "Qui travaille sur place a besoin d'au moins un site."),
            ("Sites expected", "Whoever works at sites needs at least one."),
            ("Barab laaj nañu", "Ku liggéey ci barab war na am benn."),
        ],
    ),
    refusal(
        "account.role_not_allowed",
        422,
        [
            ("Rôle non autorisé", "Votre rôle ne permet pas cela."),
            ("Role not allowed", "Your role does not allow this."),
            ("Sañuloo", "Sa liggéey mayul loolu."),
        ],
    ),
    refusal(
        "account.unknown",
        404,
        [
            ("Compte inconnu", "Ce compte n'existe pas."),
            ("Unknown account", "There is no such account."),
            ("Compte bi xamuñu ko", "Compte bii amul."),
        ],
    ),
];
