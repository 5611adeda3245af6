//! AWS's own description of its services' APIs, as botocore ships it: operations, shapes, and what a request must look like.
//!
//! The same files generate the AWS CLI and boto3. What a client sends is recognised and judged by them, never by a list of ours.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use flate2::bufread::GzDecoder;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    Error,
    tools::{self, Packages},
};

/// The API of one service.
#[derive(Debug)]
pub(super) struct Service {
    /// Its name as requests are signed: `dynamodb`, `states`, `tagging`.
    pub(super) name: String,
    pub(super) protocol: Protocol,
    pub(super) operations: HashMap<String, Operation>,
    shapes: HashMap<String, Map<String, Value>>,
}

/// How a service's requests are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Protocol {
    Json,
    Query,
    RestJson,
    RestXml,
}

#[derive(Debug, Deserialize)]
pub(super) struct Operation {
    #[serde(default)]
    pub(super) http: Http,
    pub(super) input: Option<Reference>,
    pub(super) output: Option<Reference>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Http {
    pub(super) method: String,
    pub(super) request_uri: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Reference {
    pub(super) shape: String,
}

/// A model as its file has it.
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    metadata: Metadata,
    operations: HashMap<String, Operation>,
    shapes: HashMap<String, Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    protocol: Protocol,
}

/// A shape of the model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape<'a> {
    service: &'a Service,
    /// Its name in the model.
    pub(super) name: &'a str,
    facts: &'a Map<String, Value>,
}

/// A member of a structure, with what the reference to its shape adds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    pub(super) name: &'a str,
    pub(super) shape: Shape<'a>,
    facts: &'a Value,
}

impl Service {
    /// The model of the service that signs as `name` and is asked at `path`.
    pub(super) fn load(name: &str, path: &str) -> Result<Arc<Self>, Error> {
        static LOADED: Mutex<Option<HashMap<String, Arc<Service>>>> = Mutex::new(None);
        let folder = match (name, path) {
            ("states", _) => "stepfunctions",
            ("tagging", _) => "resourcegroupstaggingapi",
            ("servicequotas", _) => "service-quotas",
            ("monitoring", _) => "cloudwatch",
            ("apigateway", path) if path.starts_with("/v2/") => "apigatewayv2",
            (other, _) => other,
        };
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = loaded.get_or_insert_default();
        if let Some(service) = loaded.get(folder) {
            return Ok(Arc::clone(service));
        }
        let service = Arc::new(Self::read(name, &file(folder)?)?);
        loaded.insert(folder.to_owned(), Arc::clone(&service));
        Ok(service)
    }

    fn read(name: &str, path: &Path) -> Result<Self, Error> {
        let unreadable = |source| Error::Io {
            doing: "read",
            path: path.to_owned(),
            source,
        };
        let packed = File::open(path).map_err(unreadable)?;
        let unpacked = GzDecoder::new(BufReader::new(packed));
        let document = serde_json::from_reader(unpacked).map_err(|fault| unreadable(fault.into()))?;
        Ok(Self::of(name, document))
    }

    pub(super) fn of(name: &str, document: Document) -> Self {
        Self {
            name: name.to_owned(),
            protocol: document.metadata.protocol,
            operations: document.operations,
            shapes: document.shapes,
        }
    }

    /// What the operation takes, if it takes anything.
    pub(super) fn input<'a>(&'a self, operation: &'a Operation) -> Option<Shape<'a>> {
        self.shape(&operation.input.as_ref()?.shape)
    }

    /// What it answers with, if with anything.
    pub(super) fn output<'a>(&'a self, operation: &'a Operation) -> Option<Shape<'a>> {
        self.shape(&operation.output.as_ref()?.shape)
    }

    fn shape<'a>(&'a self, name: &'a str) -> Option<Shape<'a>> {
        let facts = self.shapes.get(name)?;
        Some(Shape {
            service: self,
            name,
            facts,
        })
    }
}

impl<'a> Shape<'a> {
    /// `structure`, `list`, `map`, `string`, `integer`, `boolean`, `blob`, `timestamp` …
    pub(super) fn kind(self) -> &'a str {
        self.text("type").unwrap_or_default()
    }

    pub(super) fn fact(self, name: &str) -> Option<&'a Value> {
        self.facts.get(name)
    }

    pub(super) fn is(self, name: &str) -> bool {
        self.facts.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.facts.get(name).and_then(Value::as_str)
    }

    /// The shape that the fact names: `member` of a list, `key` and `value` of a map.
    pub(super) fn part(self, name: &'a str) -> Option<Member<'a>> {
        let facts = self.facts.get(name)?;
        Some(Member {
            name,
            shape: self.service.shape(facts["shape"].as_str()?)?,
            facts,
        })
    }

    pub(super) fn members(self) -> impl Iterator<Item = Member<'a>> {
        let members = self.facts.get("members").and_then(Value::as_object);
        members.into_iter().flatten().filter_map(move |(name, facts)| {
            Some(Member {
                name,
                shape: self.service.shape(facts["shape"].as_str()?)?,
                facts,
            })
        })
    }

    pub(super) fn required(self) -> impl Iterator<Item = &'a str> {
        let required = self.facts.get("required").and_then(Value::as_array);
        required.into_iter().flatten().filter_map(Value::as_str)
    }
}

impl<'a> Member<'a> {
    /// Where it is written: `uri`, `querystring`, `header`, `headers`; in the body without.
    pub(super) fn location(self) -> Option<&'a str> {
        self.facts["location"].as_str()
    }

    /// What it is called there.
    pub(super) fn wire_name(self) -> &'a str {
        self.facts["locationName"].as_str().unwrap_or(self.name)
    }

    pub(super) fn is(self, name: &str) -> bool {
        self.facts[name].as_bool().unwrap_or(false)
    }
}

/// The newest model in a folder of botocore's data.
fn file(service: &str) -> Result<PathBuf, Error> {
    let unknown = |needs: String| Error::Unavailable {
        tool: "the model of an AWS service",
        needs,
    };
    let python = tools::python(Packages::MiniStack)?;
    let libraries = python.ancestors().nth(2).unwrap_or(Path::new("/")).join("lib");
    let data = entries(&libraries)?
        .into_iter()
        .map(|python| python.join("site-packages/botocore/data").join(service))
        .find(|folder| folder.is_dir())
        .ok_or_else(|| unknown(format!("a service that botocore knows; it does not know `{service}`")))?;
    let versions = entries(&data)?;
    let newest = versions.into_iter().max();
    newest
        .map(|version| version.join("service-2.json.gz"))
        .ok_or_else(|| unknown(format!("a version of `{service}` in {}", data.display())))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).map_err(|source| Error::Io {
        doing: "list",
        path: folder.to_owned(),
        source,
    })?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}
