//! Webhooks: made and changed as GitHub does it, and delivered for real where their address is on loopback.
//!
//! What has another address is answered as a test says ([`GitHub::answers_elsewhere`](super::GitHub::answers_elsewhere)): nothing here
//! leaves this machine.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use bytes::Bytes;
use http::{Method, Request, Uri};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::api::{Question, Reply};
use super::server::Shared;
use super::world::{Asker, Contents, World};

/// How long GitHub waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most hooks of a repository and event.
const MOST: usize = 20;
/// What stands where a secret was: GitHub never shows one again.
pub(super) const HIDDEN: &str = "********";

/// A hook that GitHub holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its id.
    pub id: u64,
    /// Whether it posts.
    pub active: bool,
    /// What it posts of.
    pub events: Vec<String>,
    /// Where it posts to.
    pub url: String,
    /// `json` or `form`.
    pub content_type: String,
    /// `"0"` if certificates are verified.
    pub insecure_ssl: String,
    /// What it signs with.
    pub secret: Option<String>,
    /// What it has posted, the first one first.
    pub deliveries: Vec<Delivery>,
}

/// One post of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: u64,
    /// What tells it from others, and not from its own repetitions.
    pub guid: String,
    /// `ping`, `pull_request` and so on.
    pub event: String,
    /// Whether it repeats another.
    pub redelivery: bool,
    /// The status that it was answered with; none if there was no answer.
    pub status: Option<u16>,
    /// The body.
    pub payload: Value,
}

/// A post that is to be made.
#[derive(Debug)]
pub(super) struct Post {
    repository: String,
    hook: u64,
    url: String,
    secret: Option<String>,
    delivery: Delivery,
}

impl Question<'_> {
    /// Everything below `/hooks`.
    pub(super) fn hooks(&self, world: &mut World, path: &str) -> Reply {
        // To have a hook post again what it has posted before is to write; to have it ping is not.
        let needed = if self.operation.method == "GET" || path.ends_with("/pings") {
            ["read", "write"].as_slice()
        } else {
            ["write"].as_slice()
        };
        let is_app = self.asker == Asker::Installation;
        if is_app && !world.app.webhooks.is_some_and(|access| needed.contains(&access)) {
            return Reply::fault(403, "Resource not accessible by integration");
        }
        let name = self.repository();
        if (!is_app && !world.token_sees_hooks) || !world.repositories.contains_key(&name) {
            return Reply::fault(404, "Not Found");
        }
        let new = world.id();
        let repository = world.repositories.entry(name).or_default();
        match (self.operation.method.as_str(), path) {
            ("GET", "/hooks") => {
                return self.page(repository.hooks.iter().map(|hook| self.hook_as(200, hook)).collect());
            }
            ("POST", "/hooks") => return self.make_hook(world, new),
            _ => {}
        }
        let id = self.number("hook_id");
        let Some(place) = repository.hooks.iter().position(|hook| hook.id == id) else {
            return Reply::fault(404, "Not Found");
        };
        let hook = &mut repository.hooks[place];
        match (self.operation.method.as_str(), path) {
            ("GET", "/hooks/{hook_id}") => Reply::of(200, self.hook_as(200, hook)),
            ("PATCH", "/hooks/{hook_id}") => {
                set(hook, self.body);
                Reply::of(200, self.hook_as(200, hook))
            }
            ("DELETE", "/hooks/{hook_id}") => {
                repository.hooks.remove(place);
                Reply::of(204, Value::Null)
            }
            ("POST", "/hooks/{hook_id}/pings") => {
                let hook = hook.clone();
                self.post(world, &hook, ping(&hook, new));
                Reply::of(204, Value::Null)
            }
            ("GET", "/hooks/{hook_id}/deliveries") => {
                let deliveries = hook.deliveries.iter().rev();
                self.page(deliveries.map(|delivery| self.delivery_as(delivery)).collect())
            }
            ("POST", "/hooks/{hook_id}/deliveries/{delivery_id}/attempts") => {
                let wanted = self.number("delivery_id");
                let Some(delivery) = hook.deliveries.iter().find(|delivery| delivery.id == wanted) else {
                    return Reply::fault(404, "Not Found");
                };
                let again = Delivery {
                    id: new,
                    redelivery: true,
                    status: None,
                    ..delivery.clone()
                };
                let hook = hook.clone();
                self.post(world, &hook, again);
                Reply::of(202, json!({}))
            }
            _ => Reply::fault(501, "the loopback GitHub does not know how to do this yet"),
        }
    }

    fn make_hook(&self, world: &mut World, id: u64) -> Reply {
        let repository = world.repositories.entry(self.repository()).or_default();
        let mut hook = Hook {
            id,
            active: true,
            events: vec!["push".to_owned()],
            url: String::new(),
            content_type: "form".to_owned(),
            insecure_ssl: "0".to_owned(),
            secret: None,
            deliveries: Vec::new(),
        };
        set(&mut hook, self.body);
        if hook.url.parse::<Uri>().is_ok_and(|url| url.host().is_none()) {
            return Reply::fault(422, "Validation Failed: url is invalid");
        }
        if repository.hooks.iter().any(|other| other.url == hook.url) {
            return Reply::fault(422, "Validation Failed: Hook already exists on this repository");
        }
        if repository.hooks.len() >= MOST {
            return Reply::fault(
                422,
                "Validation Failed: The \"push\" event cannot have more than 20 hooks",
            );
        }
        repository.hooks.push(hook.clone());
        let first = ping(&hook, world.id());
        self.post(world, &hook, first);
        Reply::of(201, self.hook_as(201, &hook))
    }

    fn post(&self, world: &mut World, hook: &Hook, delivery: Delivery) {
        world.outbox.push(Post {
            repository: self.repository(),
            hook: hook.id,
            url: hook.url.clone(),
            secret: hook.secret.clone(),
            delivery,
        });
    }

    fn hook_as(&self, status: u16, hook: &Hook) -> Value {
        let mut value = self.example(
            status,
            json!({
                "id": hook.id,
                "active": hook.active,
                "events": hook.events,
                "config": {"url": hook.url, "content_type": hook.content_type, "insecure_ssl": hook.insecure_ssl},
            }),
        );
        if hook.secret.is_some() {
            value["config"]["secret"] = json!(HIDDEN);
        }
        value
    }

    fn delivery_as(&self, delivery: &Delivery) -> Value {
        let status = match delivery.status {
            Some(200..300) => "OK",
            Some(_) => "Invalid HTTP Response",
            None => "failed to connect to host",
        };
        self.example(
            200,
            json!({
                "id": delivery.id,
                "guid": delivery.guid,
                "event": delivery.event,
                "action": delivery.payload["action"],
                "redelivery": delivery.redelivery,
                "status": status,
                "status_code": delivery.status.unwrap_or(0),
            }),
        )
    }
}

/// Takes what a request says of a hook.
fn set(hook: &mut Hook, body: &Value) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if let Some(active) = body["active"].as_bool() {
        hook.active = active;
    }
    if let Some(events) = body["events"].as_array() {
        hook.events = events.iter().map(text).collect();
    }
    let config = &body["config"];
    if config.is_object() {
        // What a configuration leaves out goes back to what it is by itself, the secret too.
        let said = |name: &str, else_: &str| config.get(name).map_or_else(|| else_.to_owned(), text);
        hook.url = said("url", &hook.url);
        hook.content_type = said("content_type", "form");
        hook.insecure_ssl = said("insecure_ssl", "0");
        hook.secret = config.get("secret").map(text);
    }
}

fn ping(hook: &Hook, id: u64) -> Delivery {
    Delivery {
        id,
        guid: format!("00000000-0000-4000-8000-{id:012x}"),
        event: "ping".to_owned(),
        redelivery: false,
        status: None,
        payload: json!({
            "zen": "Keep it logically awesome.",
            "hook_id": hook.id,
            "hook": {"type": "Repository", "id": hook.id, "active": hook.active, "events": hook.events},
        }),
    }
}

/// Makes the posts that wait, each on its own, and notes how each was answered.
pub(super) fn deliver(shared: &Arc<Shared>) {
    let posts = std::mem::take(&mut shared.world().outbox);
    for post in posts {
        if !is_loopback(&post.url) {
            let status = shared.world().elsewhere;
            note(shared, post, status);
            continue;
        }
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            let status = tokio::time::timeout(PATIENCE, send(&post)).await.ok().flatten();
            note(&shared, post, status);
        });
    }
}

async fn send(post: &Post) -> Option<u16> {
    let body = post.delivery.payload.to_string();
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(&post.url)
        .header("content-type", "application/json")
        .header("user-agent", "GitHub-Hookshot/loopback")
        .header("x-github-event", &post.delivery.event)
        .header("x-github-delivery", &post.delivery.guid)
        .header("x-github-hook-id", post.hook.to_string());
    if let Some(secret) = &post.secret {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let signature = hmac::sign(&key, body.as_bytes());
        let digits: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        request = request.header("x-hub-signature-256", format!("sha256={digits}"));
    }
    let request = request.body(Full::new(Bytes::from(body))).ok()?;
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let answer = client.request(request).await.ok()?;
    Some(answer.status().as_u16())
}

fn note(shared: &Shared, post: Post, status: Option<u16>) {
    let mut world = shared.world();
    let repository: &mut Contents = world.repositories.entry(post.repository).or_default();
    if let Some(hook) = repository.hooks.iter_mut().find(|hook| hook.id == post.hook) {
        hook.deliveries.push(Delivery {
            status,
            ..post.delivery
        });
    }
}

fn is_loopback(url: &str) -> bool {
    let url: Option<Uri> = url.parse().ok();
    let host = url.as_ref().and_then(Uri::host).unwrap_or_default();
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A request's body as it is remembered: without the secret that it sets.
pub(super) fn without_secret(mut body: Value) -> Value {
    if let Some(secret) = body.pointer_mut("/config/secret") {
        *secret = json!(HIDDEN);
    }
    body
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use aws_lc_rs::hmac;

    use crate::github::GitHub;
    use crate::or_skip;

    /// What the GitHub answers to a request that its description allows.
    fn ask(github: &GitHub, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(github.api().trim_start_matches("http://")).unwrap();
        let (token, length) = (github.token(), body.len());
        let request = format!(
            "{method} /repos/o/r{path} HTTP/1.1\r\nhost: github\r\nconnection: close\r\ncontent-length: {length}\r\n\
             authorization: Bearer {token}\r\nuser-agent: test\r\naccept: application/vnd.github+json\r\n\
             x-github-api-version: 2022-11-28\r\ncontent-type: application/json\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn a_hook_on_loopback_is_pinged_with_a_signature_over_the_body() {
        let Some(github) = or_skip("hooks are delivered", GitHub::start()) else {
            return;
        };
        github.repository("o/r");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let body = format!(
            r#"{{"name":"web","events":["pull_request"],"config":{{"url":"{url}","content_type":"json","secret":"It's a Secret"}}}}"#
        );
        let made = ask(&github, "POST", "/hooks", &body);
        assert!(
            made.starts_with("HTTP/1.1 201") && !made.contains("It's a Secret"),
            "{made}"
        );
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = String::new();
        let mut part = [0; 4096];
        let (head, body) = loop {
            let length = stream.read(&mut part).unwrap();
            asked.push_str(std::str::from_utf8(&part[..length]).unwrap());
            let whole = asked.split_once("\r\n\r\n").filter(|(_, body)| body.ends_with('}'));
            if let Some((head, body)) = whole {
                break (head.to_owned(), body.to_owned());
            }
        };
        stream
            .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .unwrap();
        assert!(
            head.starts_with("POST /hook ") && head.contains("x-github-event: ping"),
            "{head}"
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"It's a Secret");
        let signature = hmac::sign(&key, body.as_bytes());
        let digits: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(
            head.contains(&format!("x-hub-signature-256: sha256={digits}")),
            "{head}"
        );
        let hook = &github.repository("o/r").hooks()[0];
        while github.repository("o/r").hooks()[0].deliveries.is_empty() {
            std::thread::yield_now();
        }
        let deliveries = ask(&github, "GET", &format!("/hooks/{}/deliveries", hook.id), "");
        assert!(deliveries.contains(r#""status_code":202"#), "{deliveries}");
        let twice = ask(&github, "POST", "/hooks", &format!(r#"{{"config":{{"url":"{url}"}}}}"#));
        assert!(twice.contains("Hook already exists"), "{twice}");
        assert!(
            github
                .requests()
                .iter()
                .all(|request| !request.body.to_string().contains("Secret"))
        );
    }
}
