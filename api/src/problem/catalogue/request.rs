//! Codes about the request itself: form, keys, rights, versions, our own faults.

use super::{Entry, refusal};

pub(super) const ENTRIES: &[Entry] = &[
    refusal(
        "request.malformed_json",
        400,
        [
            ("Corps illisible", "Le corps n'est pas un document JSON valide : {reason}."),
            ("Unreadable body", "The body is not a valid JSON document: {reason}."),
            ("Jàngul", "JSON bi baaxul: {reason}."),
        ],
    ),
    refusal(
        "request.invalid_field",
        400,
        [
            ("Champ incorrect", "Un champ manque, est inconnu ou n'a pas la forme attendue ; voir `errors`."),
            ("Invalid field", "A field is missing, unknown or not of the expected form; see `errors`."),
            ("Melokaan bi baaxul", "Am na lu mankoo walla lu jaarul yoon; xoolal `errors`."),
        ],
    ),
    refusal(
        "request.invalid_parameter",
        400,
        [
            ("Paramètre incorrect", "Un paramètre manque, est inconnu ou n'a pas la forme attendue ; voir `errors`."),
            ("Invalid parameter", "A parameter is missing, unknown or not of the expected form; see `errors`."),
            ("Paramètre bi baaxul", "Am na paramètre bu mankoo walla bu jaarul yoon; xoolal `errors`."),
        ],
    ),
    refusal(
        "request.invalid_header",
        400,
        [
            ("En-tête incorrect", "Un en-tête n'a pas la forme attendue ; voir `errors`."),
            ("Invalid header", "A header is not of the expected form; see `errors`."),
            ("En-tête bi baaxul", "Am na en-tête bu jaarul yoon; xoolal `errors`."),
        ],
    ),
    refusal(
        "request.too_large",
        413,
        [
            ("Corps trop grand", "Le corps dépasse {limit} octets."),
            ("Body too large", "The body is larger than {limit} bytes."),
            ("Dafa rëy lool", "Li nga yónnee dafa ëpp {limit} octets."),
        ],
    ),
    refusal(
        "request.unsupported_media_type",
        415,
        [
            ("Type de contenu refusé", "Le corps doit être de type {expected}."),
            ("Unsupported media type", "The body must be {expected}."),
            ("Xeet wi baaxul", "Li nga yónnee war na nekk {expected}."),
        ],
    ),
    refusal(
        "request.timeout",
        408,
        [
            ("Requête trop lente", "Le corps n'est pas arrivé à temps."),
            ("Request too slow", "The body did not arrive in time."),
            ("Dafa yéex", "Li ngay yónnee egul ci waxtu wi."),
        ],
    )
    .retryable(),
    refusal(
        "request.no_such_route",
        404,
        [
            ("Adresse inconnue", "Rien ne répond à cette adresse."),
            ("No such address", "Nothing answers at this address."),
            ("Adres bi amul", "Dara nekkul fii."),
        ],
    ),
    refusal(
        "request.method_not_allowed",
        405,
        [
            ("Méthode refusée", "Cette adresse n'accepte pas cette méthode."),
            ("Method not allowed", "This address does not accept this method."),
            ("Mayul", "Adres bii nanguwul loolu."),
        ],
    ),
    refusal(
        "object.not_found",
        404,
        [
            ("Introuvable", "Cet objet n'existe pas, ou il n'est pas à vous."),
            ("Not found", "There is no such object, or it is not yours."),
            ("Gisu ñu ko", "Loolu amul, walla du sa bos."),
        ],
    ),
    refusal(
        "object.exists",
        409,
        [
            ("Existe déjà", "Cet identifiant est déjà pris."),
            ("Already there", "This identifier is already taken."),
            ("Am na ba noppi", "Tur wii jël nañu ko ba noppi."),
        ],
    ),
    refusal(
        "auth.missing",
        401,
        [
            ("Clé manquante", "Envoyez `Authorization: Bearer kk_…`, ou le jeton d'une session (`ks_…`)."),
            ("Key missing", "Send `Authorization: Bearer kk_…`, or the token of a session (`ks_…`)."),
            ("Caabi ji amul", "Yónneel `Authorization: Bearer kk_…`, walla jetoŋu session (`ks_…`)."),
        ],
    ),
    refusal(
        "auth.invalid",
        401,
        [
            ("Clé refusée", "La clé est inconnue ou révoquée."),
            ("Key refused", "The key is unknown or revoked."),
            ("Caabi ji baaxul", "Caabi jii xamuñu ko walla dañu ko dindi."),
        ],
    ),
    refusal(
        "auth.other_mode",
        401,
        [
            ("Clé d'un autre mode", "Une clé de test n'ouvre pas le système réel, ni l'inverse."),
            ("Key of the other mode", "A test key does not open the live system, nor the other way round."),
            ("Caabi beneen mode", "Caabi test ubbiwul live, live it ubbiwul test."),
        ],
    ),
    refusal(
        "auth.scope_missing",
        403,
        [
            ("Droit manquant", "La clé n'a pas le droit {scope}."),
            ("Scope missing", "The key lacks the scope {scope}."),
            ("Sañ-sañ amul", "Caabi ji amul sañ-sañ {scope}."),
        ],
    ),
    refusal(
        "auth.role_forbidden",
        403,
        [
            ("Rôle insuffisant", "Le rôle {role} ne peut pas faire cela."),
            ("Not for this role", "The role {role} may not do this."),
            ("Mayuñu la", "{role} sañul def loolu."),
        ],
    ),
    refusal(
        "idempotency.key_missing",
        400,
        [
            ("Idempotency-Key manquante", "Cette opération exige l'en-tête Idempotency-Key."),
            ("Idempotency-Key missing", "This operation needs the header Idempotency-Key."),
            ("Idempotency-Key amul", "Liggéey bii dafa laaj Idempotency-Key."),
        ],
    ),
    refusal(
        "idempotency.key_malformed",
        400,
        [
            ("Idempotency-Key incorrecte", "Elle compte 16 à 255 caractères ASCII imprimables."),
            ("Idempotency-Key malformed", "It has 16 to 255 printable ASCII characters."),
            ("Idempotency-Key baaxul", "Dafay am 16 ba 255 araf ASCII."),
        ],
    ),
    refusal(
        "idempotency.key_reused",
        422,
        [
            ("Clé déjà utilisée", "Cette clé a déjà servi pour une autre demande."),
            ("Key reused", "This key was already used for another request."),
            ("Caabi ji jëfandikoo nañu ko", "Idempotency-Key bii jëfandikoo nañu ko ci leneen."),
        ],
    ),
    refusal(
        "idempotency.in_progress",
        409,
        [
            ("Demande en cours", "La première demande avec cette clé n'a pas encore de réponse."),
            ("Still running", "The first request with this key has no answer yet."),
            ("Mu ngi ci yoon", "Laaj bu njëkk bi jeexagul."),
        ],
    )
    .retryable()
    .unknown(),
    refusal(
        "precondition.failed",
        412,
        [
            ("Version dépassée", "L'objet a changé depuis ; relisez-le."),
            ("Stale version", "The object has changed since; read it again."),
            ("Dafa soppeeku", "Loolu dafa soppeeku; jàngaatal ko."),
        ],
    ),
    refusal(
        "precondition.required",
        428,
        [
            ("If-Match exigé", "Envoyez l'ETag lu avec If-Match."),
            ("If-Match required", "Send the ETag you read as If-Match."),
            ("If-Match laaj nañu ko", "Yónneel ETag bi nga jàng ci If-Match."),
        ],
    ),
    refusal(
        "version.conflict",
        409,
        [
            ("Changement simultané", "Quelqu'un d'autre l'a modifié au même instant ; recommencez."),
            ("Changed meanwhile", "Somebody else changed it at the same moment; try again."),
            ("Keneen soppi na ko", "Am na ku ko soppi ci saa si; jéemaatal."),
        ],
    )
    .retryable(),
    refusal(
        "position.beyond_head",
        400,
        [
            ("Position inconnue", "Le journal n'a pas encore atteint cette position."),
            ("Position beyond the head", "The log has not reached this position."),
            ("Position bi amagul", "Téere bi egagul foofu."),
        ],
    ),
    refusal(
        "position.before_start",
        400,
        [
            ("Avant le début", "Le journal commence plus tard."),
            ("Before the start", "The log begins later than that."),
            ("Balaa njàlbéen", "Téere bi tàmbali na ginaaw loolu."),
        ],
    ),
    refusal(
        "event.too_many_streams",
        429,
        [
            ("Trop de flux", "Cette clé a déjà {limit} flux d'événements ouverts ; fermez-en un."),
            ("Too many streams", "This key already has {limit} streams of events open; close one."),
            ("Flux yi ëpp na", "Caabi jii am na {limit} flux yu ubbeeku ba noppi; tëjal benn."),
        ],
    )
    .retryable(),
    refusal(
        "request.too_many",
        429,
        [
            ("Trop de demandes", "Trop de demandes en peu de temps ; réessayez dans {seconds} s."),
            ("Too many requests", "Too many requests in a short time; try again in {seconds} s."),
            ("Laaj yi ëpp na", "Laaj nga lu bari ci diir bu gàtt; jéemaatal ginaaw {seconds} s."),
        ],
    )
    .retryable(),
    refusal(
        "projection_behind",
        503,
        [
            ("Lecture en retard", "La vue n'a pas encore atteint la position demandée."),
            ("Projection behind", "The view has not reached the position asked for."),
            ("Gis-gis bi dafa yéex", "Egagul ci position bi nga laaj."),
        ],
    )
    .retryable(),
    refusal(
        "server.error",
        500,
        [
            ("Erreur interne", "C'est notre faute. Répétez avec la même clé : rien ne se fera deux fois."),
            ("Internal error", "Our fault. Repeat with the same key: nothing happens twice."),
            ("Njuumte", "Sunu njuumte la. Jéemaatal ak benn caabi bi."),
        ],
    )
    .retryable()
    .unknown(),
    refusal(
        "server.outcome_unknown",
        503,
        [
            ("Issue inconnue", "Nous ne savons pas si c'est fait. Répétez avec la même clé pour le savoir."),
            ("Outcome unknown", "We cannot tell whether it was done. Repeat with the same key to find out."),
            ("Xamuñu", "Xamuñu ndax def nañu ko. Jéemaatal ak benn caabi bi."),
        ],
    )
    .retryable()
    .unknown(),
    refusal(
        "server.overloaded",
        503,
        [
            ("Trop de demandes", "Le service est saturé ; rien n'a été fait."),
            ("Overloaded", "The service is full; nothing was done."),
            ("Dafa fees", "Service bi dafa fees; dara deful."),
        ],
    )
    .retryable(),
];
