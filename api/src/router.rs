//! All operations, and the router made from them.

use std::future::{Ready, ready};

use axum::{
    Router,
    body::Bytes,
    extract::{RawPathParams, Request, State, rejection::RawPathParamsRejection},
    http::{
        HeaderName, HeaderValue, Method,
        header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    middleware,
    response::Response,
    routing::{MethodFilter, get, on},
};
use serde_json::Value;
use tower::Layer;
use tower_http::cors::{AllowOrigin, Any, Cors, CorsLayer};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    App, account, audit, challenge, client, device, endpoint, event,
    http::{
        admission::{self, door::Door},
        health, limits, openapi,
        operation::{Operation, undeclared},
        pipeline,
    },
    invitation, invoice, key, ledger, payment, payout,
    problem::{self, Problem},
    promotion, quote, receipt, reconciliation, recovery, refund, reservation, session, site, stop, test_clock, till,
};

/// All operations: one line per noun.
const NOUNS: &[&[&Operation]] = &[
    site::OPERATIONS,
    quote::OPERATIONS,
    promotion::OPERATIONS,
    reservation::OPERATIONS,
    payment::OPERATIONS,
    refund::OPERATIONS,
    payout::OPERATIONS,
    invoice::OPERATIONS,
    receipt::OPERATIONS,
    ledger::OPERATIONS,
    reconciliation::OPERATIONS,
    till::OPERATIONS,
    key::OPERATIONS,
    challenge::OPERATIONS,
    session::OPERATIONS,
    device::OPERATIONS,
    recovery::OPERATIONS,
    account::OPERATIONS,
    invitation::OPERATIONS,
    endpoint::OPERATIONS,
    event::OPERATIONS,
    audit::OPERATIONS,
    client::OPERATIONS,
    test_clock::OPERATIONS,
];

/// An operation whose `authz:` is left out does not build: the message is its id (reliability.md §4.2).
const _: () = says_who_may_call_it(undeclared(NOUNS));

#[expect(clippy::panic, reason = "while compiling, never while running")]
const fn says_who_may_call_it(missing: Option<&str>) {
    if let Some(operation) = missing {
        panic!("{}", operation);
    }
}

/// Every operation there is.
pub fn operations() -> impl Iterator<Item = &'static Operation> + Clone {
    NOUNS.iter().copied().flatten().copied()
}

/// The router of an API, which whoever comes too many is turned away from before it looks where they want to go.
pub fn door(app: App) -> Cors<Door> {
    let cors = cors(&app.settings.allowed_origins);
    cors.layer(Door::new(app.clone(), routes(app), operations()))
}

/// The router of an API.
pub fn router(app: App) -> Router {
    let cors = cors(&app.settings.allowed_origins);
    routes(app).layer(cors)
}

fn routes(app: App) -> Router {
    let mut router = Router::new();
    for operation in operations() {
        let answer = move |state: State<App>, path: Result<RawPathParams, _>, request: Request| {
            answer(state, operation, path, request)
        };
        let filter = MethodFilter::try_from(operation.method.clone()).unwrap_or(MethodFilter::GET);
        router = router.route(operation.path, on(filter, answer));
    }
    let document = openapi::document(operations(), env!("CARGO_PKG_VERSION"), &app.settings.public_url);
    let events = event::asyncapi::document(
        env!("CARGO_PKG_VERSION"),
        &app.settings.public_url,
        app.settings.bus.as_deref(),
        app.store.log().id,
    );
    let docs = SwaggerUi::new("/docs").config(Config::from("/openapi.json"));
    router
        .merge(
            payment::pages()
                .merge(stop::pages())
                .layer(middleware::from_fn_with_state(app.clone(), limits::pages))
                .layer(middleware::from_fn_with_state(app.clone(), admission::pages)),
        )
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(written(&document)))
        .route("/asyncapi.json", get(written(&events)))
        .route(
            "/problems/{code}",
            get(|axum::extract::Path(code): axum::extract::Path<String>| async move { problem::page(&code) }),
        )
        .merge(docs)
        .fallback(|state, request| refuse(state, request, "request.no_such_route"))
        .method_not_allowed_fallback(|state, request| refuse(state, request, "request.method_not_allowed"))
        .layer(middleware::map_response(as_it_says))
        .with_state(app)
}

/// What is no text, such as `%ff`, names nothing.
async fn answer(
    state: State<App>,
    operation: &'static Operation,
    path: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
) -> Response {
    match path {
        Ok(path) => pipeline::answer(state.0, operation, path, request).await,
        Err(_) => refuse(state, request, "request.no_such_route").await,
    }
}

/// Nothing of ours is to be taken for something else than it says it is: also what is answered beside the operations.
async fn as_it_says(mut response: Response) -> Response {
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A document, written once. axum copies the routes for every connection, with all that their handlers hold: of this one
/// only a pointer. (A whole OpenAPI document in each made half a megabyte per connection.)
fn written(document: &Value) -> impl Fn() -> Ready<Written> + Clone + Send + Sync + 'static {
    let bytes = Bytes::from(document.to_string());
    move || ready(([(CONTENT_TYPE, "application/json")], bytes.clone()))
}

type Written = ([(HeaderName, &'static str); 1], Bytes);

async fn refuse(State(app): State<App>, request: Request, code: &'static str) -> Response {
    let (parts, _) = request.into_parts();
    pipeline::refuse(&app, &parts, Problem::new(code))
}

fn cors(origins: &[String]) -> CorsLayer {
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
    };
    let exposed = [
        "etag",
        "link",
        "location",
        "kalel-position",
        "request-id",
        "retry-after",
        "idempotent-replayed",
        "deprecation",
        "sunset",
        "ratelimit",
        "ratelimit-policy",
    ];
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(Any)
        .expose_headers(exposed.map(HeaderName::from_static))
}
