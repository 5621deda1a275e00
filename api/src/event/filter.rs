//! Which events a reader wants: names, or all of a noun.

use crate::http::query::Query;

/// The `type` parameters; none means every event. Checked against the list of names already.
pub struct Filter(Vec<String>);

impl Filter {
    pub fn of(query: &Query) -> Self {
        Self(query.all("type").map(str::to_owned).collect())
    }

    /// These, whatever the request says.
    pub fn only(names: &[&str]) -> Self {
        Self(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// Whether an event of this name is wanted.
    pub fn takes(&self, name: &str) -> bool {
        let takes = |wanted: &String| match wanted.strip_suffix('*') {
            Some(noun) => name.starts_with(noun),
            None => name == wanted,
        };
        self.0.is_empty() || self.0.iter().any(takes)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}
