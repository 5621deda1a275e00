//! Lists: which page is asked for, a page as JSON, and where the next one begins.

use std::borrow::Cow;

use axum::http::{StatusCode, header};
use projections::page::Page;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr,
        schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type},
    },
};

use crate::http::{
    call::Call,
    halt::Halt,
    operation::{Exemplary, Kind, Param},
    reply::Reply,
};

/// Rows on a page when `limit` is left out.
const USUAL: u32 = 20;

impl Param {
    pub const CURSOR: Self = Self::new("cursor", Kind::Text, "`next_cursor` of the page before.", "")
        .checked("the list and the filters it was given for");

    /// The length of a page; `about` says of what.
    pub const fn limit(about: &'static str) -> Self {
        Self::new("limit", Kind::Integer { min: 1, max: 100 }, about, "20")
    }
}

impl Call {
    pub fn limit(&self) -> u32 {
        self.query.integer("limit").and_then(|limit| u32::try_from(limit).ok()).unwrap_or(USUAL)
    }

    pub fn cursor(&self) -> Option<&str> {
        self.query.text("cursor")
    }

    /// `Link: <…>; rel="next"` (RFC 8288).
    fn next_page(&self, cursor: &str) -> String {
        let mut path = self.operation.path.to_owned();
        for (name, value) in &self.path {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        let mut query = url::form_urlencoded::Serializer::new(self.query.filters());
        if let Some(limit) = self.query.text("limit") {
            query.append_pair("limit", limit);
        }
        query.append_pair("cursor", cursor);
        format!("<{path}?{}>; rel=\"next\"", query.finish())
    }
}

/// A list and where it goes on.
#[derive(Serialize)]
pub struct List<T> {
    pub object: &'static str,
    pub data: Vec<T>,
    pub has_more: bool,
    /// For `cursor` of the next request with the same filters; null on the last page.
    pub next_cursor: Option<String>,
    /// Up to which event the rows count.
    pub as_of_position: i64,
}

impl Reply {
    /// A page of rows, as they are shown.
    ///
    /// # Errors
    /// `server.error` when they cannot be written, which is a bug.
    pub fn list<R, T: Serialize>(
        call: &Call,
        page: &Page<R>,
        shown: impl IntoIterator<Item = T>,
    ) -> Result<Self, Halt> {
        let list = List {
            object: "list",
            data: shown.into_iter().collect(),
            has_more: page.has_more(),
            next_cursor: page.next.clone(),
            as_of_position: page.as_of,
        };
        Ok(Self::json(StatusCode::OK, &list)?.paged(call, page))
    }

    /// The headers of a page: up to where it was read, and where the next one begins.
    #[must_use]
    pub fn paged<R>(self, call: &Call, page: &Page<R>) -> Self {
        let reply = self.position(page.as_of);
        match &page.next {
            Some(cursor) => reply.header(header::LINK, call.next_page(cursor)),
            None => reply,
        }
    }
}

// In the documentation a list of `Payout` is `PayoutList`. Derived, it would hold its rows whole instead of naming them.
impl<T: ToSchema> PartialSchema for List<T> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .description(Some("A page, and where the next one begins."))
            .property("object", String::schema())
            .property("data", ArrayBuilder::new().items(Ref::from_schema_name(T::name())))
            .property("has_more", bool::schema())
            .property(
                "next_cursor",
                ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null])),
            )
            .property("as_of_position", i64::schema())
            .required("object")
            .required("data")
            .required("has_more")
            .required("as_of_position")
            .into()
    }
}

impl<T: ToSchema> ToSchema for List<T> {
    fn name() -> Cow<'static, str> {
        format!("{}List", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T: Exemplary> Exemplary for List<T> {
    fn example() -> Value {
        json!({
            "object": "list", "data": [T::example()], "has_more": false, "next_cursor": null, "as_of_position": 42,
        })
    }
}
