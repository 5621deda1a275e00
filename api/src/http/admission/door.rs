//! Who is turned away at the door: while all places are taken and nobody more may wait, a request is refused before it is routed,
//! in words that were written beforehand. Whoever is refused must cost next to nothing: ten come for each that is worked on.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderValue, Method, Response, StatusCode, header},
    routing::future::RouteFuture,
};
use futures_util::future::Either;
use tower::Service;

use super::{Admission, Class, Deadline, refusal};
use crate::{
    App,
    http::{
        language::Language,
        operation::Operation,
        pipeline::{REQUEST_ID, harden, request_id, said_of},
    },
    problem::Occasion,
};

/// What stands for the path and the id of a request in words that are written beforehand: neither is in any of them.
const INSTANCE: &str = "@instance@";
const REQUEST: &str = "@request@";

/// The routes, behind the door. Clones are the same.
#[derive(Clone)]
pub struct Door {
    app: App,
    routes: Router,
    operations: Arc<matchit::Router<Vec<&'static Operation>>>,
    words: Arc<Words>,
}

impl Door {
    /// In front of these routes, which are those of the operations.
    pub fn new(app: App, routes: Router, operations: impl Iterator<Item = &'static Operation>) -> Self {
        let mut by_path: Vec<(&str, Vec<&'static Operation>)> = Vec::new();
        for operation in operations {
            match by_path.iter_mut().find(|(path, _)| *path == operation.path) {
                Some((_, there)) => there.push(operation),
                None => by_path.push((operation.path, vec![operation])),
            }
        }
        let mut table = matchit::Router::new();
        for (path, operations) in by_path {
            // What cannot be found here is let through, and refused behind it.
            let _ = table.insert(path, operations);
        }
        let words = Words::written(&app.settings.public_url);
        Self { app, routes, operations: Arc::new(table), words: Arc::new(words) }
    }

    /// The refusal, when there is no place for it and nobody more may wait.
    fn turned_away<B>(&self, request: &axum::http::Request<B>) -> Option<Response<Body>> {
        // Whoever can be let in is not looked at here.
        if !self.app.admission.is_full() {
            return None;
        }
        let path = self.operations.at(request.uri().path()).ok()?;
        let operation = path.value.iter().find(|operation| operation.method == *request.method())?;
        // What is malformed is told so behind the door.
        Deadline::of(request.headers()).ok()?;
        if !self.app.admission.turns_away(operation.class) {
            return None;
        }
        Some(self.words.refuse(&self.app, operation, request))
    }
}

impl Service<Request<Body>> for Door {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response<Body>, Infallible>>, RouteFuture<Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.turned_away(&request) {
            Some(refused) => Either::Left(ready(Ok(refused))),
            None => Either::Right(self.routes.call(request)),
        }
    }
}

impl Admission {
    /// Whether somebody would have to wait now, so that it is worth looking who comes.
    fn is_full(&self) -> bool {
        let Some(shared) = &self.0 else { return false };
        let state = shared.lock();
        state.gate.in_hand() >= Class::Export.places(state.limit.places())
    }

    /// Counts one who comes, when there is neither a place for them nor room to wait.
    fn turns_away(&self, class: Class) -> bool {
        let Some(shared) = &self.0 else { return false };
        let now = shared.now();
        let mut state = shared.lock();
        let places = state.limit.places();
        let away = state.gate.turns_away(class, places, now);
        if away {
            state.limit.missed();
            drop(state);
            super::count(class, "shed");
        }
        away
    }
}

/// The refusal in every language: of a read, of a write, and of a write that may have been carried out before.
struct Words([[Sentence; 3]; 2]);

/// A document in three pieces: the path of the request stands after the first, its id after the second.
struct Sentence([String; 3]);

impl Words {
    fn written(base_url: &str) -> Self {
        let of = |language: Language, is_repeated: bool| {
            let problem = said_of(refusal(), is_repeated);
            let occasion = Occasion { instance: INSTANCE, request_id: REQUEST, language, base_url };
            let document = problem.document(occasion);
            let cut = |text: &str, at: &str| -> (String, String) {
                text.split_once(at)
                    .map_or_else(|| (text.to_owned(), String::new()), |(a, b)| (a.to_owned(), b.to_owned()))
            };
            let (first, rest) = cut(&document, INSTANCE);
            let (second, third) = cut(&rest, REQUEST);
            Sentence([first, second, third])
        };
        let each =
            |is_repeated: bool| [Language::Fr, Language::En, Language::Wo].map(|language| of(language, is_repeated));
        Self([each(false), each(true)])
    }

    fn refuse<B>(&self, app: &App, operation: &Operation, request: &axum::http::Request<B>) -> Response<Body> {
        let language = Language::of(request.headers());
        let id = request_id(app, request.headers());
        let by_language = &self.0[usize::from(operation.idempotent && operation.method != Method::GET)];
        let [before, between, after] = &by_language[language as usize].0;
        let path = request.uri().path();
        let mut body = String::with_capacity(before.len() + between.len() + after.len() + path.len() + id.len() + 16);
        body.push_str(before);
        push_escaped(&mut body, path);
        body.push_str(between);
        push_escaped(&mut body, &id);
        body.push_str(after);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        let headers = response.headers_mut();
        headers.reserve(8);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        if let Ok(id) = HeaderValue::from_str(&id) {
            headers.insert(REQUEST_ID.clone(), id);
        }
        harden(headers);
        response
    }
}

/// As a JSON string has it; paths and ids are visible ASCII.
fn push_escaped(body: &mut String, text: &str) {
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            body.push('\\');
        }
        body.push(letter);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_was_written_beforehand_is_what_would_be_written_now() {
        let words = Words::written("https://k.example");
        let (instance, request_id) = ("/v1/a\"b\\c", "r\"1");
        for (is_repeated, by_language) in [false, true].into_iter().zip(&words.0) {
            for language in [Language::Fr, Language::En, Language::Wo] {
                let now = said_of(refusal(), is_repeated);
                let now = now.document(Occasion { instance, request_id, language, base_url: "https://k.example" });
                let Sentence([first, second, third]) = &by_language[language as usize];
                let mut before = first.clone();
                push_escaped(&mut before, instance);
                before.push_str(second);
                push_escaped(&mut before, request_id);
                before.push_str(third);
                assert_eq!(before, now);
                let outcome = serde_json::from_str::<Value>(&before).unwrap()["outcome"].clone();
                assert_eq!(outcome, if is_repeated { "unknown" } else { "not_done" });
            }
        }
    }
}
