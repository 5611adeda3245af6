//! One registry schema → the compact facts of one resource type.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// Inlined scalar and list definitions may refer to themselves; past this depth the shape is plain JSON.
const DEEPEST_INLINE: usize = 12;

/// The facts of one type: its properties, nested types, attributes and marks.
pub(crate) fn resource(schema: &Value, stateful: bool) -> Map<String, Value> {
    let mut reader = Reader {
        schema,
        types: Map::new(),
        hoisted: BTreeSet::new(),
    };
    let read_only = paths(schema, "readOnlyProperties");
    let mut properties = reader.properties(schema, "");
    let mut attributes = Map::new();
    for path in &read_only {
        attributes.insert(path.replace('/', "."), reader.attribute(path));
        properties.shift_remove(path);
    }
    reader.read_referenced(&properties);
    let mut types = reader.types;
    for path in read_only.iter().filter(|path| path.contains('/')) {
        remove_nested(&properties, &mut types, path);
    }
    let reached = reachable(&properties, &types);
    types.retain(|name, _| reached.contains(name));

    let mut facts = Map::new();
    let mut keep = |name: &str, list: Vec<String>| {
        if !list.is_empty() {
            facts.insert(name.to_owned(), json!(list));
        }
    };
    keep("primary", paths(schema, "primaryIdentifier"));
    keep("create_only", paths(schema, "createOnlyProperties"));
    keep(
        "conditional_create_only",
        paths(schema, "conditionalCreateOnlyProperties"),
    );
    keep("write_only", paths(schema, "writeOnlyProperties"));
    keep("deprecated", paths(schema, "deprecatedProperties"));
    if stateful {
        facts.insert("stateful".to_owned(), json!(true));
    }
    facts.insert("attributes".to_owned(), Value::Object(attributes));
    facts.insert("properties".to_owned(), Value::Object(properties));
    facts.insert("types".to_owned(), Value::Object(types));
    facts
}

/// A list of JSON pointers under `/properties/`, as property paths such as `Code/S3Key`, sorted.
fn paths(schema: &Value, key: &str) -> Vec<String> {
    let pointers = schema
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let set: BTreeSet<String> = pointers
        .filter_map(|pointer| pointer.strip_prefix("/properties/"))
        .map(|path| path.replace("/properties/", "/"))
        .collect();
    set.into_iter().collect()
}

/// Takes a read-only leaf such as `Endpoint/Address` out of the nested type that declares it, so that nobody can set it.
fn remove_nested(properties: &Map<String, Value>, types: &mut Map<String, Value>, path: &str) {
    let steps: Vec<&str> = path.split('/').filter(|step| *step != "*").collect();
    let Some((leaf, parents)) = steps.split_last() else {
        return;
    };
    let mut owner: Option<String> = None;
    for parent in parents {
        let declared = match &owner {
            None => properties.get(*parent),
            Some(name) => types.get(name).and_then(|fields| fields.get(*parent)),
        };
        match declared.map(named) {
            Some(Some(name)) => owner = Some(name),
            _ => return,
        }
    }
    if let Some(fields) = owner
        .and_then(|name| types.get_mut(&name))
        .and_then(Value::as_object_mut)
    {
        fields.shift_remove(*leaf);
    }
}

/// The nested types that settable properties lead to.
fn reachable(properties: &Map<String, Value>, types: &Map<String, Value>) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<String> = properties.values().filter_map(named).collect();
    while let Some(name) = open.pop() {
        let fields = types.get(&name).and_then(Value::as_object);
        if reached.insert(name) {
            open.extend(fields.into_iter().flat_map(Map::values).filter_map(named));
        }
    }
    reached
}

/// The nested type that a shape names, through lists and maps.
fn named(shape: &Value) -> Option<String> {
    match shape.get("type").and_then(Value::as_str)? {
        "list" | "map" => named(shape.get("of")?),
        "struct" => shape.get("name").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    }
}

struct Reader<'a> {
    schema: &'a Value,
    /// Nested types by name, each a map of properties.
    types: Map<String, Value>,
    /// Names given to inline objects, which must not meet a definition's name.
    hoisted: BTreeSet<String>,
}

impl Reader<'_> {
    /// The properties of an object schema, with those of its `oneOf`/`anyOf`/`allOf` branches. A property is required
    /// if the object or every branch requires it.
    fn properties(&mut self, object: &Value, owner: &str) -> Map<String, Value> {
        let mut facts = Map::new();
        self.collect(object, owner, &mut facts, 0);
        let required = required(object, self.schema, 0);
        for (name, shape) in &mut facts {
            if let (true, Some(shape)) = (required.contains(name), shape.as_object_mut()) {
                shape.insert("required".to_owned(), json!(true));
            }
        }
        facts.sort_keys();
        facts
    }

    fn collect(&mut self, object: &Value, owner: &str, facts: &mut Map<String, Value>, depth: usize) {
        let declared = object.get("properties").and_then(Value::as_object);
        for (name, schema) in declared.into_iter().flatten() {
            if !facts.contains_key(name) {
                let shape = self.shape(schema, owner, name, 0);
                facts.insert(name.clone(), shape);
            }
        }
        if depth > DEEPEST_INLINE {
            return;
        }
        for branch in branches(object) {
            let branch = resolve(self.schema, branch);
            self.collect(branch, owner, facts, depth + 1);
        }
    }

    fn shape(&mut self, schema: &Value, owner: &str, name: &str, depth: usize) -> Value {
        if depth > DEEPEST_INLINE {
            return json!({"type": "json"});
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return self.referenced(reference, name, depth);
        }
        if is_struct(schema) {
            let hoisted = self.hoisted_name(owner, name);
            let properties = self.properties(schema, &hoisted);
            self.types.insert(hoisted.clone(), Value::Object(properties));
            return json!({"type": "struct", "name": hoisted});
        }
        let mut shape = Map::new();
        match kind(schema) {
            Kind::Array => {
                shape.insert("type".to_owned(), json!("list"));
                let of = self.inner(schema.get("items"), owner, name, depth);
                shape.insert("of".to_owned(), of);
                copy(
                    schema,
                    &mut shape,
                    &[("minItems", "min"), ("maxItems", "max"), ("uniqueItems", "unique")],
                );
                if let Some(format) = schema.get("format").filter(|format| is_typed(format)) {
                    shape.insert("format".to_owned(), format.clone());
                }
            }
            Kind::Map => {
                let patterns = schema.get("patternProperties").and_then(Value::as_object);
                let of = self.inner(
                    patterns.and_then(|patterns| patterns.values().next()),
                    owner,
                    name,
                    depth,
                );
                shape.insert("type".to_owned(), json!("map"));
                shape.insert("of".to_owned(), of);
                copy(
                    schema,
                    &mut shape,
                    &[("minProperties", "min"), ("maxProperties", "max")],
                );
            }
            Kind::Scalar(kind) => {
                shape.insert("type".to_owned(), json!(kind));
                scalar(schema, kind, &mut shape);
            }
        }
        Value::Object(shape)
    }

    /// The shape of a list's items or a map's values.
    fn inner(&mut self, schema: Option<&Value>, owner: &str, name: &str, depth: usize) -> Value {
        match schema {
            Some(schema) if schema.is_object() => self.shape(schema, owner, name, depth + 1),
            _ => json!({"type": "json"}),
        }
    }

    /// The shape that a `$ref` names: a nested type by its name, anything else as if it stood here.
    fn referenced(&mut self, reference: &str, name: &str, depth: usize) -> Value {
        let Some(target) = self.schema.pointer(reference.trim_start_matches('#')) else {
            return json!({"type": "json"});
        };
        let definition = reference.rsplit('/').next().unwrap_or(name).to_owned();
        if is_struct(target) {
            return json!({"type": "struct", "name": definition});
        }
        let target = target.clone();
        let mut shape = self.shape(&target, "", &definition, depth + 1);
        if let (true, Some(shape)) = (shape.get("enum").is_some(), shape.as_object_mut()) {
            shape.entry("name").or_insert(json!(definition));
        }
        shape
    }

    /// The name of the nested type made for an inline object: its owner and its property.
    fn hoisted_name(&mut self, owner: &str, name: &str) -> String {
        let defined = self.schema.get("definitions").and_then(Value::as_object);
        let mut candidate = format!("{owner}{name}");
        while defined.is_some_and(|defined| defined.contains_key(&candidate)) || self.hoisted.contains(&candidate) {
            candidate.push_str("Properties");
        }
        self.hoisted.insert(candidate.clone());
        candidate
    }

    /// Reads every definition that the properties reach.
    fn read_referenced(&mut self, properties: &Map<String, Value>) {
        let mut open: Vec<String> = properties.values().filter_map(named).collect();
        open.extend(
            self.types
                .values()
                .filter_map(Value::as_object)
                .flat_map(|fields| fields.values().filter_map(named)),
        );
        while let Some(name) = open.pop() {
            if self.types.contains_key(&name) {
                continue;
            }
            let Some(definition) = self.schema.pointer(&format!("/definitions/{name}")).cloned() else {
                continue;
            };
            self.types.insert(name.clone(), json!({}));
            let fields = self.properties(&definition, &name);
            open.extend(fields.values().filter_map(named));
            open.extend(
                self.types
                    .values()
                    .filter_map(Value::as_object)
                    .flat_map(|fields| fields.values().filter_map(named)),
            );
            self.types.insert(name, Value::Object(fields));
        }
        self.types.sort_keys();
    }

    /// The shape of an attribute, which `Fn::GetAtt` can only return as text, number, boolean or list.
    fn attribute(&mut self, path: &str) -> Value {
        let mut schema = self.schema.clone();
        for step in path.split('/') {
            let resolved = resolve(self.schema, &schema).clone();
            schema = match resolved.pointer(&format!("/properties/{step}")) {
                Some(next) => next.clone(),
                None => return json!({"type": "string"}),
            };
        }
        let shape = self.shape(&schema, "", path.rsplit('/').next().unwrap_or(path), 0);
        match shape.get("type").and_then(Value::as_str) {
            Some(kind @ ("string" | "integer" | "number" | "boolean")) => match shape.get("format") {
                Some(format) => json!({"type": kind, "format": format}),
                None => json!({"type": kind}),
            },
            Some("list") if shape.pointer("/of/type") == Some(&json!("string")) => {
                json!({"type": "list", "of": {"type": "string"}})
            }
            _ => json!({"type": "json"}),
        }
    }
}

enum Kind {
    Array,
    Map,
    Scalar(&'static str),
}

fn kind(schema: &Value) -> Kind {
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        None if schema.get("format") == Some(&json!("json")) => vec![],
        Some(Value::Array(many)) => many
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| *name != "null")
            .collect(),
        _ if schema.get("patternProperties").is_some() => vec!["object"],
        _ if schema
            .get("enum")
            .or(schema.get("pattern"))
            .or(schema.get("const"))
            .is_some() =>
        {
            vec!["string"]
        }
        _ => vec![],
    };
    match types.as_slice() {
        ["array"] => Kind::Array,
        ["object"] if schema.get("patternProperties").is_some() => Kind::Map,
        ["string"] => Kind::Scalar("string"),
        ["integer"] => Kind::Scalar("integer"),
        ["number"] => Kind::Scalar("number"),
        ["boolean"] => Kind::Scalar("boolean"),
        [] => Kind::Scalar("json"),
        many if many.iter().all(|name| !matches!(*name, "object" | "array")) => Kind::Scalar("scalar"),
        _ => Kind::Scalar("json"),
    }
}

/// An object with properties of its own or of its branches.
fn is_struct(schema: &Value) -> bool {
    let has = |schema: &Value| {
        schema
            .get("properties")
            .and_then(Value::as_object)
            .is_some_and(|map| !map.is_empty())
    };
    let object = matches!(
        schema.get("type"),
        None | Some(Value::String(_)) | Some(Value::Array(_))
    ) && !matches!(
        schema.get("type").and_then(Value::as_str),
        Some("string" | "array" | "integer" | "number" | "boolean")
    );
    object && (has(schema) || branches(schema).any(has))
}

/// What a `$ref` points to, or the schema itself.
fn resolve<'v>(root: &'v Value, schema: &'v Value) -> &'v Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap_or(schema),
        None => schema,
    }
}

fn branches(schema: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf", "allOf"]
        .into_iter()
        .filter_map(|key| schema.get(key).and_then(Value::as_array))
        .flatten()
}

fn required(object: &Value, schema: &Value, depth: usize) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = object
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    if depth > DEEPEST_INLINE {
        return names;
    }
    for all in object.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        names.extend(required(resolve(schema, all), schema, depth + 1));
    }
    for key in ["oneOf", "anyOf"] {
        let Some(branches) = object
            .get(key)
            .and_then(Value::as_array)
            .filter(|branches| !branches.is_empty())
        else {
            continue;
        };
        let mut common = branches
            .iter()
            .map(|branch| required(resolve(schema, branch), schema, depth + 1));
        let first = common.next().unwrap_or_default();
        names.extend(common.fold(first, |left, right| left.intersection(&right).cloned().collect()));
    }
    names
}

fn scalar(schema: &Value, kind: &str, shape: &mut Map<String, Value>) {
    let values = match (
        schema.get("enum").or(schema.get("enumCaseInsensitive")),
        schema.get("const"),
    ) {
        (Some(values), _) => Some(values.clone()),
        (None, Some(value)) => Some(json!([value])),
        _ => None,
    };
    if let Some(values) = values.filter(|values| values.as_array().is_some_and(|list| !list.is_empty())) {
        shape.insert("enum".to_owned(), values);
    }
    match kind {
        "string" => copy(
            schema,
            shape,
            &[("pattern", "pattern"), ("minLength", "min"), ("maxLength", "max")],
        ),
        "integer" | "number" => copy(schema, shape, &[("minimum", "min"), ("maximum", "max")]),
        _ => {}
    }
    if let Some(format) = schema.get("format").filter(|format| is_typed(format)) {
        shape.insert("format".to_owned(), format.clone());
    }
}

/// Formats that name another resource's reference, such as `AWS::IAM::Role.Arn`.
fn is_typed(format: &Value) -> bool {
    format.as_str().is_some_and(|format| format.starts_with("AWS::"))
}

fn copy(schema: &Value, shape: &mut Map<String, Value>, names: &[(&str, &str)]) {
    for (from, to) in names {
        if let Some(value) = schema
            .get(*from)
            .filter(|value| !matches!(value, Value::Null | Value::Bool(false)))
        {
            shape.insert((*to).to_owned(), value.clone());
        }
    }
}
