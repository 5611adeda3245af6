//! From what a client wrote on the wire to the operation that it asks for and the operation's parameters, as the service's model
//! names them. Never judges the parameters; `rules` does.

use std::collections::BTreeMap;

use http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Number, Value};

use super::model::{Member, Operation, Protocol, Service, Shape};

/// One request, read.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// The operation that a request asks for.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) name: &'a str,
    pub(super) operation: &'a Operation,
    pub(super) parameters: Value,
    /// What the request says that the model has no place for.
    pub(super) unknown: Vec<String>,
}

impl Request<'_> {
    /// The name under which the request is signed, in its header or in a presigned URL.
    pub(super) fn signing_name(&self) -> Option<String> {
        // Credential=KEY/DATE/REGION/SERVICE/aws4_request
        let header = self.header("authorization").and_then(|header| {
            let credential = header.split("Credential=").nth(1)?;
            Some(credential.split([',', ' ']).next()?.to_owned())
        });
        let query = || pairs(self.uri.query()?).find(|(name, _)| name == "X-Amz-Credential");
        let credential = header.or_else(|| query().map(|(_, value)| value))?;
        credential.split('/').nth(3).map(str::to_owned)
    }

    /// The application name of the client, which the SDK puts into its user agent.
    pub(super) fn caller(&self) -> Option<String> {
        let agents = ["x-amz-user-agent", "user-agent"]
            .into_iter()
            .filter_map(|name| self.header(name));
        let mut words = agents.flat_map(|agent| agent.split(' '));
        words.find_map(|word| word.strip_prefix("app/")).map(str::to_owned)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What is asked of the service.
    pub(super) fn read<'a>(&self, service: &'a Service) -> Result<Asked<'a>, String> {
        match service.protocol {
            Protocol::Json => self.json(service),
            Protocol::Query => self.query(service),
            Protocol::RestJson | Protocol::RestXml => self.rest(service),
        }
    }

    fn json<'a>(&self, service: &'a Service) -> Result<Asked<'a>, String> {
        if self.headers.contains_key("smithy-protocol") {
            return Err("the client speaks Smithy RPC v2, which this front does not read".to_owned());
        }
        let target = self.header("x-amz-target").ok_or("there is no X-Amz-Target header")?;
        let name = target.rsplit('.').next().unwrap_or(target);
        let (name, operation) = named(service, name)?;
        let parameters = match self.body {
            [] => Value::Object(Map::new()),
            body => serde_json::from_slice(body).map_err(|fault| format!("the body is no JSON: {fault}"))?,
        };
        Ok(Asked {
            name,
            operation,
            parameters,
            unknown: Vec::new(),
        })
    }

    fn query<'a>(&self, service: &'a Service) -> Result<Asked<'a>, String> {
        let body = String::from_utf8_lossy(self.body);
        let mut form: BTreeMap<String, String> = pairs(self.uri.query().unwrap_or_default())
            .chain(pairs(&body))
            .collect();
        let name = form.remove("Action").ok_or("there is no Action")?;
        form.remove("Version");
        let (name, operation) = named(service, &name)?;
        let parameters = match service.input(operation) {
            Some(shape) => unflatten(shape, "", &mut form).unwrap_or_else(|| Value::Object(Map::new())),
            None => Value::Object(Map::new()),
        };
        Ok(Asked {
            name,
            operation,
            parameters,
            unknown: form.into_keys().filter(|name| !name.starts_with("X-Amz-")).collect(),
        })
    }

    fn rest<'a>(&self, service: &'a Service) -> Result<Asked<'a>, String> {
        let candidates = service.operations.iter().filter_map(|(name, operation)| {
            let (weight, labels) = self.matches(service, operation)?;
            Some((weight, name, operation, labels))
        });
        // The most particular one; the name decides between equals, so that the answer is always the same.
        let best = candidates.max_by(|left, right| left.0.cmp(&right.0).then_with(|| right.1.cmp(left.1)));
        let Some((_, name, operation, labels)) = best else {
            return Err(format!(
                "no operation of {} is {} {}",
                service.name, self.method, self.uri
            ));
        };
        let parameters = match service.input(operation) {
            Some(shape) => self.members(service.protocol, shape, &labels)?,
            None => Value::Object(Map::new()),
        };
        Ok(Asked {
            name,
            operation,
            parameters,
            unknown: Vec::new(),
        })
    }

    /// How particular the operation's address is and what stands for its labels, if the request is at that address.
    fn matches<'a>(&self, service: &Service, operation: &'a Operation) -> Option<(usize, BTreeMap<&'a str, String>)> {
        if operation.http.method != self.method.as_str() {
            return None;
        }
        let address = &operation.http.request_uri;
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let labels = labels_of(path, self.uri.path())?;
        let asked: BTreeMap<String, String> = pairs(self.uri.query().unwrap_or_default()).collect();
        let literals: Vec<(String, String)> = pairs(query).collect();
        let present =
            |(name, value): &(String, String)| asked.get(name).is_some_and(|asked| value.is_empty() || asked == value);
        if !literals.iter().all(present) {
            return None;
        }
        let mut weight = literals.len() * 2 + path.split('/').filter(|segment| !segment.starts_with('{')).count();
        if let Some(shape) = service.input(operation) {
            let required: Vec<&str> = shape.required().collect();
            for member in shape.members().filter(|member| required.contains(&member.name)) {
                let there = match member.location() {
                    Some("querystring") => asked.contains_key(member.wire_name()),
                    Some("header") => self.headers.contains_key(member.wire_name()),
                    _ => continue,
                };
                if !there {
                    return None;
                }
                weight += 2;
            }
        }
        Some((weight, labels))
    }

    fn members(&self, protocol: Protocol, shape: Shape<'_>, labels: &BTreeMap<&str, String>) -> Result<Value, String> {
        let query: Vec<(String, String)> = pairs(self.uri.query().unwrap_or_default()).collect();
        let mut parameters = Map::new();
        for member in shape.members() {
            let name = member.wire_name();
            let value = match member.location() {
                Some("uri") => labels.get(name).map(|text| scalar(member.shape, text)),
                Some("querystring") => {
                    let mut values = query
                        .iter()
                        .filter(|(key, _)| key == name)
                        .map(|(_, value)| value.as_str());
                    match member.shape.part("member") {
                        Some(part) => {
                            let values: Vec<Value> = values.map(|text| scalar(part.shape, text)).collect();
                            (!values.is_empty()).then_some(Value::Array(values))
                        }
                        None => values.next().map(|text| scalar(member.shape, text)),
                    }
                }
                Some("header") => self.header(name).map(|text| match member.shape.part("member") {
                    Some(part) => text.split(',').map(|text| scalar(part.shape, text.trim())).collect(),
                    None => scalar(member.shape, text),
                }),
                Some("headers") => self.prefixed(name),
                _ => continue,
            };
            if let Some(value) = value {
                parameters.insert(member.name.to_owned(), value);
            }
        }
        self.body_into(protocol, shape, &mut parameters)?;
        Ok(Value::Object(parameters))
    }

    /// The map of headers that begin with this.
    fn prefixed(&self, prefix: &str) -> Option<Value> {
        let found = self.headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(&prefix.to_ascii_lowercase())?;
            Some((name.to_owned(), Value::from(value.to_str().ok()?)))
        });
        let found: Map<String, Value> = found.collect();
        (!found.is_empty()).then_some(Value::Object(found))
    }

    fn body_into(&self, protocol: Protocol, shape: Shape<'_>, into: &mut Map<String, Value>) -> Result<(), String> {
        if self.body.is_empty() {
            return Ok(());
        }
        let payload = shape.text("payload");
        let member = payload.and_then(|payload| shape.members().find(|member| member.name == payload));
        if let Some(member) = member.filter(|member| matches!(member.shape.kind(), "blob" | "string")) {
            // What is uploaded is not kept: a test that wants it asks the store.
            into.insert(
                member.name.to_owned(),
                Value::from(format!("({} bytes)", self.body.len())),
            );
            return Ok(());
        }
        let target = member.map_or(shape, |member| member.shape);
        let value = if protocol == Protocol::RestXml {
            let text = std::str::from_utf8(self.body).map_err(|fault| format!("the body is no UTF-8: {fault}"))?;
            let document = roxmltree::Document::parse(text).map_err(|fault| format!("the body is no XML: {fault}"))?;
            from_xml(target, document.root_element())
        } else {
            let body = serde_json::from_slice(self.body).map_err(|fault| format!("the body is no JSON: {fault}"))?;
            renamed(target, body)
        };
        match (member, value) {
            (Some(member), value) => drop(into.insert(member.name.to_owned(), value)),
            (None, Value::Object(members)) => into.extend(members),
            (None, other) => return Err(format!("the body is {other}, not an object")),
        }
        Ok(())
    }
}

fn named<'a>(service: &'a Service, name: &str) -> Result<(&'a str, &'a Operation), String> {
    let found = service.operations.get_key_value(name);
    found
        .map(|(name, operation)| (name.as_str(), operation))
        .ok_or_else(|| format!("{} has no operation {name}", service.name))
}

/// The decoded names and values of a query or a form.
fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    query.split('&').filter(|pair| !pair.is_empty()).map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

/// What stands for the labels of the template, if the path is one of it. `{Key+}` takes all that is left.
fn labels_of<'a>(template: &'a str, path: &str) -> Option<BTreeMap<&'a str, String>> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut labels = BTreeMap::new();
    let mut rest = path.strip_prefix('/')?;
    let expected = template.strip_prefix('/')?.split('/').filter(|part| !part.is_empty());
    for part in expected {
        let label = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        if let Some(greedy) = label.and_then(|label| label.strip_suffix('+')) {
            labels.insert(greedy, decode(rest));
            return (!rest.is_empty()).then_some(labels);
        }
        let (segment, after) = rest.split_once('/').unwrap_or((rest, ""));
        match label {
            Some(_) if segment.is_empty() => return None,
            Some(label) => drop(labels.insert(label, decode(segment))),
            None if part != segment => return None,
            None => {}
        }
        rest = after;
    }
    rest.is_empty().then_some(labels)
}

fn scalar(shape: Shape<'_>, text: &str) -> Value {
    match shape.kind() {
        "integer" | "long" => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
        "float" | "double" => text
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map_or_else(|| Value::from(text), Value::Number),
        "boolean" => text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from),
        _ => Value::from(text),
    }
}

/// The query protocol writes `Parameters.member.1.ParameterKey=…`; what is read is taken out of the form.
fn unflatten(shape: Shape<'_>, at: &str, form: &mut BTreeMap<String, String>) -> Option<Value> {
    let below = |name: &str| {
        if at.is_empty() {
            name.to_owned()
        } else {
            format!("{at}.{name}")
        }
    };
    match shape.kind() {
        "structure" => {
            let members: Map<String, Value> = shape
                .members()
                .filter_map(|member| {
                    let value = unflatten(member.shape, &below(member.wire_name()), form)?;
                    Some((member.name.to_owned(), value))
                })
                .collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        "list" => {
            // An empty list is written as the bare name.
            if form.remove(at).is_some_and(|value| value.is_empty()) {
                return Some(Value::Array(Vec::new()));
            }
            let part = shape.part("member")?;
            let prefix = if shape.is("flattened") {
                at.to_owned()
            } else {
                below(part_name(part, "member"))
            };
            let items = (1..).map_while(|index| unflatten(part.shape, &format!("{prefix}.{index}"), form));
            let items: Vec<Value> = items.collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        "map" => {
            let (key, value) = (shape.part("key")?, shape.part("value")?);
            let prefix = if shape.is("flattened") {
                at.to_owned()
            } else {
                below("entry")
            };
            let entries = (1..).map_while(|index| {
                let name = form.remove(&format!("{prefix}.{index}.{}", part_name(key, "key")))?;
                let value = unflatten(
                    value.shape,
                    &format!("{prefix}.{index}.{}", part_name(value, "value")),
                    form,
                )?;
                Some((name, value))
            });
            let entries: Map<String, Value> = entries.collect();
            (!entries.is_empty()).then_some(Value::Object(entries))
        }
        _ => form.remove(at).map(|text| scalar(shape, &text)),
    }
}

/// What an item of a list or a map is called on the wire.
fn part_name<'a>(part: Member<'a>, default: &'a str) -> &'a str {
    if part.wire_name() == part.name {
        default
    } else {
        part.wire_name()
    }
}

fn from_xml(shape: Shape<'_>, node: roxmltree::Node<'_, '_>) -> Value {
    let children = |name: &str| {
        node.children()
            .filter(|child| child.has_tag_name_local(name))
            .collect::<Vec<_>>()
    };
    match shape.kind() {
        "structure" => {
            let members = shape.members().filter_map(|member| {
                let found = children(member.wire_name());
                let value = match member.shape.part("member") {
                    Some(part) if member.shape.is("flattened") || member.is("flattened") => {
                        let items: Vec<Value> = found.iter().map(|child| from_xml(part.shape, *child)).collect();
                        (!items.is_empty()).then_some(Value::Array(items))?
                    }
                    _ => from_xml(member.shape, *found.first()?),
                };
                Some((member.name.to_owned(), value))
            });
            Value::Object(members.collect())
        }
        "list" => match shape.part("member") {
            Some(part) => {
                let items = children(part_name(part, "member"));
                items.into_iter().map(|child| from_xml(part.shape, child)).collect()
            }
            None => Value::Null,
        },
        _ => scalar(shape, node.text().unwrap_or_default()),
    }
}

trait LocalName {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl LocalName for roxmltree::Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

/// JSON with the names of the model for those of the wire; what the model does not know keeps its name.
fn renamed(shape: Shape<'_>, value: Value) -> Value {
    match value {
        Value::Object(members) if shape.kind() == "structure" => members
            .into_iter()
            .map(
                |(name, value)| match shape.members().find(|member| member.wire_name() == name) {
                    Some(member) => (member.name.to_owned(), renamed(member.shape, value)),
                    None => (name, value),
                },
            )
            .collect(),
        Value::Object(members) if shape.kind() == "map" => match shape.part("value") {
            Some(part) => members
                .into_iter()
                .map(|(name, value)| (name, renamed(part.shape, value)))
                .collect(),
            None => Value::Object(members),
        },
        Value::Array(items) => match shape.part("member") {
            Some(part) => items.into_iter().map(|item| renamed(part.shape, item)).collect(),
            None => Value::Array(items),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_for_segments_and_greedy_ones_for_the_rest() {
        let of = |template, path| labels_of(template, path).map(|labels| labels.into_values().collect::<Vec<_>>());
        assert_eq!(
            of("/{Bucket}/{Key+}", "/b/a%20b/c+d"),
            Some(vec!["b".to_owned(), "a b/c+d".to_owned()])
        );
        assert_eq!(of("/{Bucket}", "/b/"), Some(vec!["b".to_owned()]));
        assert_eq!(of("/{Bucket}", "/b/key"), None);
        assert_eq!(of("/{Bucket}/{Key+}", "/b/"), None);
        assert_eq!(
            of("/restapis/{id}/stages", "/restapis/x/stages"),
            Some(vec!["x".to_owned()])
        );
        assert_eq!(of("/restapis/{id}/stages", "/restapis/x/models"), None);
    }

    #[test]
    fn the_service_is_the_one_that_the_request_is_signed_for() {
        let headers = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", value.parse().unwrap());
            headers
        };
        let signed =
            headers("AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/states/aws4_request, SignedHeaders=host");
        let plain: Uri = "/".parse().unwrap();
        let presigned: Uri = "/b/k?X-Amz-Credential=AKIA%2F20260101%2Feu-west-1%2Fs3%2Faws4_request"
            .parse()
            .unwrap();
        let name = |uri: &Uri, headers: &HeaderMap| {
            let method = Method::GET;
            Request {
                method: &method,
                uri,
                headers,
                body: &[],
            }
            .signing_name()
        };
        assert_eq!(name(&plain, &signed).as_deref(), Some("states"));
        assert_eq!(name(&presigned, &HeaderMap::new()).as_deref(), Some("s3"));
        assert_eq!(name(&plain, &headers("Bearer token")), None);
    }
}
