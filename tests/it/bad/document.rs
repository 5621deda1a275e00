//! What the served document says of bodies, and the places in a body where something can go wrong.

use std::collections::{BTreeMap, BTreeSet};

use ::api::http::operation::Operation;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// The OpenAPI document as it is served.
pub struct Document {
    whole: Value,
    bodies: BTreeMap<&'static str, Validator>,
}

/// A member of a body: there, or that could be there.
pub struct Member<'a> {
    /// JSON Pointer of the object that it belongs to.
    pub within: String,
    pub name: String,
    pub schema: &'a Value,
}

impl Member<'_> {
    pub fn pointer(&self) -> String {
        format!("{}/{}", self.within, self.name)
    }
}

impl Document {
    pub fn new(whole: Value) -> Self {
        let mut bodies = BTreeMap::new();
        for operation in ::api::operations().filter(|operation| operation.body.is_some()) {
            let reference = schema_of(&whole, operation)["$ref"].clone();
            let schema = json!({ "$ref": reference, "components": whole["components"] });
            bodies.insert(operation.id, jsonschema::options().build(&schema).unwrap());
        }
        Self { whole, bodies }
    }

    /// Whether a body has the form that the document asks for.
    pub fn allows(&self, operation: &Operation, body: &Value) -> bool {
        self.bodies[operation.id].is_valid(body)
    }

    /// Every member of a body, as deep as the body goes, and those beside them that it does not have.
    pub fn members(&self, operation: &Operation, body: &Value) -> Vec<Member<'_>> {
        let mut found = Vec::new();
        self.walk(schema_of(&self.whole, operation), body, String::new(), &mut found);
        found
    }

    fn walk<'a>(&'a self, schema: &'a Value, value: &Value, at: String, found: &mut Vec<Member<'a>>) {
        match value {
            Value::Object(members) => {
                let Some(properties) = self.properties(schema, members) else { return };
                for (name, schema) in properties {
                    let there = members.get(name);
                    found.push(Member { within: at.clone(), name: name.clone(), schema });
                    if let Some(value) = there {
                        self.walk(schema, value, format!("{at}/{name}"), found);
                    }
                }
            }
            Value::Array(values) => {
                let (Some(first), Some(items)) = (values.first(), self.any(schema, "items")) else { return };
                found.push(Member { within: at.clone(), name: "0".into(), schema: items });
                self.walk(items, first, format!("{at}/0"), found);
            }
            _ => {}
        }
    }

    /// Of the alternatives that a schema leaves, the one that knows most of these members.
    fn properties<'a>(&'a self, schema: &'a Value, members: &Map<String, Value>) -> Option<&'a Map<String, Value>> {
        let all = self.alternatives(schema).into_iter().filter_map(|one| one["properties"].as_object());
        all.max_by_key(|properties| members.keys().filter(|name| properties.contains_key(*name)).count())
    }

    /// A keyword of a schema, or of one of its alternatives.
    pub fn any<'a>(&'a self, schema: &'a Value, keyword: &str) -> Option<&'a Value> {
        self.alternatives(schema).into_iter().find_map(|one| one.get(keyword))
    }

    fn alternatives<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.alternatives(self.whole.pointer(reference.trim_start_matches('#')).unwrap());
        }
        match schema.get("oneOf").or_else(|| schema.get("anyOf")) {
            Some(among) => among.as_array().unwrap().iter().flat_map(|one| self.alternatives(one)).collect(),
            None => vec![schema],
        }
    }

    /// Whether it asks for a form of text, such as `date-time`.
    pub fn has_format(&self, schema: &Value, format: &str) -> bool {
        self.alternatives(schema).into_iter().any(|one| one["format"] == format)
    }

    /// The types that a schema takes.
    pub fn types(&self, schema: &Value) -> BTreeSet<String> {
        let mut types = BTreeSet::new();
        for one in self.alternatives(schema) {
            match &one["type"] {
                Value::String(name) => drop(types.insert(name.clone())),
                Value::Array(names) => types.extend(names.iter().map(|name| name.as_str().unwrap().to_owned())),
                _ => {}
            }
        }
        types
    }
}

fn schema_of<'a>(whole: &'a Value, operation: &Operation) -> &'a Value {
    let method = operation.method.as_str().to_lowercase();
    &whole["paths"][operation.path][&method]["requestBody"]["content"]["application/json"]["schema"]
}

/// A body with another value at a member; `None` takes the member away.
pub fn with(body: &Value, member: &Member<'_>, value: Option<Value>) -> Value {
    let mut body = body.clone();
    match (body.pointer_mut(&member.within), value) {
        (Some(Value::Object(members)), Some(value)) => drop(members.insert(member.name.clone(), value)),
        (Some(Value::Object(members)), None) => drop(members.remove(&member.name)),
        (Some(Value::Array(values)), Some(value)) => values[0] = value,
        (Some(Value::Array(values)), None) => values.clear(),
        _ => {}
    }
    body
}

/// The same as text, for what no [`Value`] can hold: written there as it is.
pub fn with_raw(body: &Value, member: &Member<'_>, raw: &str) -> String {
    const HERE: &str = "the place of what is raw";
    with(body, member, Some(json!(HERE))).to_string().replacen(&format!("\"{HERE}\""), raw, 1)
}
