//! What the loopback GitHub answers: GitHub's own examples, with what the test has put in and the requests have changed.
//!
//! It keeps the rules that GitHub's description lacks: what must exist, how long texts may be, who may see what.

use serde_json::{Value, json};

use super::app::INSTALLATION;
use super::description::{Arguments, Operation};
use super::world::{Asker, Comment, Contents, Deployment, Pull, Status, World};

/// The most characters of a status's description.
const DESCRIPTION: usize = 140;
/// The most characters of a comment.
const COMMENT: usize = 65_536;
/// The most statuses of a commit and context.
const STATUSES: usize = 1_000;
/// What every pull request was last changed at unless a test says otherwise.
pub(super) const UPDATED: &str = "2026-01-02T03:04:05Z";

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) headers: Vec<(&'static str, String)>,
}

/// One request that is allowed, to be carried out.
pub(super) struct Question<'a> {
    pub(super) operation: &'a Operation,
    pub(super) arguments: &'a Arguments,
    pub(super) body: &'a Value,
    pub(super) asker: Asker,
    /// The API's address, and that of the host with the archives.
    pub(super) api: &'a str,
    pub(super) archives: &'a str,
}

impl Reply {
    pub(super) fn of(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            headers: Vec::new(),
        }
    }

    pub(super) fn fault(status: u16, message: impl Into<String>) -> Self {
        let message: String = message.into();
        Self::of(
            status,
            json!({"message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string()}),
        )
    }
}

impl Question<'_> {
    /// Carries it out.
    pub(super) fn answer(&self, world: &mut World) -> Reply {
        if self.operation.path.starts_with("/app/") {
            return self.installation_token(world);
        }
        match self.asker {
            Asker::Token | Asker::Installation => {}
            // A private repository is not there for those who may not see it.
            Asker::Nobody => return Reply::fault(404, "Not Found"),
            Asker::App | Asker::Stranger => return Reply::fault(401, "Bad credentials"),
        }
        let path = self.operation.path.trim_start_matches("/repos/{owner}/{repo}");
        if path.starts_with("/hooks") {
            return self.hooks(world, path);
        }
        let administers = self.asker == Asker::Token && world.token_administers;
        let id = world.id();
        let Some(repository) = world.repositories.get_mut(&self.repository()) else {
            return Reply::fault(404, "Not Found");
        };
        match (self.operation.method.as_str(), path) {
            ("GET", "/zipball/{ref}") => self.zipball(repository),
            ("GET", "/commits") => self.page(Vec::new()),
            ("GET", "/pulls") => self.pulls(repository),
            ("GET", "/pulls/{pull_number}") => self.pull(repository),
            ("GET", "/pulls/{pull_number}/files") => self.files(repository),
            ("GET", "/pulls/{pull_number}/reviews") => self.reviews(repository),
            ("GET", "/collaborators/{username}/permission") => self.permission(repository),
            ("POST", "/statuses/{sha}") => self.status(repository),
            ("GET", "/deployments") => self.deployments(repository),
            ("POST", "/deployments") => self.deploy(repository, id),
            ("POST", "/deployments/{deployment_id}/statuses") => self.deployment_status(repository),
            ("DELETE", "/environments/{environment_name}") if !administers => {
                Reply::fault(403, "Resource not accessible by integration")
            }
            ("DELETE", "/environments/{environment_name}") => self.delete_environment(repository),
            ("GET", "/issues/{issue_number}/comments") => self.comments(repository),
            ("POST", "/issues/{issue_number}/comments") => self.comment(repository, id),
            ("PATCH", "/issues/comments/{comment_id}") => self.edit(repository),
            _ => Reply::fault(501, "the loopback GitHub does not know how to do this yet"),
        }
    }

    fn argument(&self, name: &str) -> &str {
        self.arguments.get(name).map_or("", String::as_str)
    }

    pub(super) fn number(&self, name: &str) -> u64 {
        self.argument(name).parse().unwrap_or(0)
    }

    pub(super) fn repository(&self) -> String {
        format!("{}/{}", self.argument("owner"), self.argument("repo"))
    }

    fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }

    /// GitHub's example, or the item that stands in it if it is a list, with other members.
    pub(super) fn example(&self, status: u16, members: Value) -> Value {
        let mut example = self.operation.example(status);
        if let Value::Array(items) = &mut example {
            example = items.first_mut().map(Value::take).unwrap_or_default();
        }
        merge(&mut example, members);
        example
    }

    /// The page of a list that is asked for, with links to the others.
    pub(super) fn page(&self, items: Vec<Value>) -> Reply {
        let per_page = self.argument("per_page").parse().unwrap_or(30_usize).clamp(1, 100);
        let page = self.argument("page").parse().unwrap_or(1_usize).max(1);
        let more = items.len() > page * per_page;
        let items = items.into_iter().skip((page - 1) * per_page).take(per_page).collect();
        let mut reply = Reply::of(200, items);
        if more {
            let next = page + 1;
            reply.headers.push((
                "link",
                format!(
                    "<{}/elsewhere?page={next}>; rel=\"next\", <{}/elsewhere?page=9>; rel=\"last\"",
                    self.api, self.api
                ),
            ));
        }
        reply
    }

    fn installation_token(&self, world: &mut World) -> Reply {
        match self.asker {
            Asker::App if self.number("installation_id") == INSTALLATION => {
                let named = self.body["repositories"].as_array().into_iter().flatten();
                let is_there = |name: &Value| {
                    let names = world.repositories.keys();
                    let mut names = names.filter_map(|repository| repository.split_once('/'));
                    names.any(|(_, known)| name == known)
                };
                if !named.into_iter().all(is_there) {
                    return Reply::fault(
                        422,
                        "There is at least one repository that does not exist or is not accessible to the parent installation.",
                    );
                }
                let (token, expires_at) = world.app.token();
                let permissions = world.app.permissions();
                Reply::of(
                    201,
                    self.example(
                        201,
                        json!({"token": token, "expires_at": expires_at, "permissions": permissions}),
                    ),
                )
            }
            Asker::App => Reply::fault(404, "Not Found"),
            _ => Reply::fault(401, "A JSON web token could not be decoded"),
        }
    }

    fn zipball(&self, repository: &Contents) -> Reply {
        let sha = self.argument("ref");
        if !repository.archives.contains_key(sha) {
            return Reply::fault(404, "Not Found");
        }
        let mut reply = Reply::of(302, Value::Null);
        let location = format!(
            "{}/{}/legacy.zip/{sha}?token=FIVEMINUTES",
            self.archives,
            self.repository()
        );
        reply.headers.push(("location", location));
        reply
    }

    fn pulls(&self, repository: &Contents) -> Reply {
        let given = |name| self.arguments.get(name).map(String::as_str);
        let all = repository.pull_requests.iter();
        let mut pulls: Vec<(&u32, &Pull)> = all
            .filter(|(_, pull)| match given("state") {
                Some("all") => true,
                Some("closed") => !pull.open,
                _ => pull.open,
            })
            .collect();
        let by_update = given("sort") == Some("updated");
        if by_update {
            pulls.sort_by_key(|(_, pull)| &pull.updated_at);
        }
        // Newest first if nothing is said, but by updates the oldest.
        if given("direction").map_or(!by_update, |direction| direction == "desc") {
            pulls.reverse();
        }
        let pulls = pulls.into_iter();
        self.page(pulls.map(|(number, pull)| self.pull_as(*number, pull)).collect())
    }

    fn pull(&self, repository: &Contents) -> Reply {
        let number = u32::try_from(self.number("pull_number")).unwrap_or(0);
        match repository.pull_requests.get(&number) {
            Some(pull) => Reply::of(200, self.pull_as(number, pull)),
            None => Reply::fault(404, "Not Found"),
        }
    }

    fn pull_as(&self, number: u32, pull: &Pull) -> Value {
        let label = |name: &String| {
            json!({"id": 1, "node_id": "L", "url": "https://api.github.com/labels/l", "name": name, "description": "",
                   "color": "ffffff", "default": false})
        };
        let mut value = self.example(
            200,
            json!({
                "number": number,
                "state": if pull.open { "open" } else { "closed" },
                "draft": pull.draft,
                "merged_at": pull.merged_as.as_ref().map(|_| &pull.updated_at),
                "merge_commit_sha": pull.merged_as,
                "updated_at": pull.updated_at,
                "requested_teams": [],
                "labels": pull.labels.iter().map(label).collect::<Vec<_>>(),
                "head": {"sha": pull.sha},
                "base": {"ref": pull.base, "repo": {"full_name": self.repository()}},
            }),
        );
        match &pull.head_repository {
            Some(name) => value["head"]["repo"]["full_name"] = json!(name),
            None => value["head"]["repo"] = Value::Null,
        }
        value
    }

    fn files(&self, repository: &Contents) -> Reply {
        let number = u32::try_from(self.number("pull_number")).unwrap_or(0);
        let Some(pull) = repository.pull_requests.get(&number) else {
            return Reply::fault(404, "Not Found");
        };
        let files = pull.files.iter().map(|(name, previous)| {
            let mut file = self.example(200, json!({"filename": name}));
            if let Some(previous) = previous {
                merge(&mut file, json!({"status": "renamed", "previous_filename": previous}));
            }
            file
        });
        self.page(files.collect())
    }

    fn reviews(&self, repository: &Contents) -> Reply {
        let number = u32::try_from(self.number("pull_number")).unwrap_or(0);
        let Some(pull) = repository.pull_requests.get(&number) else {
            return Reply::fault(404, "Not Found");
        };
        let reviews = pull.reviews.iter().map(|(login, state, sha)| {
            self.example(200, json!({"state": state, "commit_id": sha, "user": {"login": login}}))
        });
        self.page(reviews.collect())
    }

    fn permission(&self, repository: &Contents) -> Reply {
        let login = self.argument("username");
        // Everybody may read what is public; of a private repository GitHub says `none`.
        let permission = repository.permissions.get(login).map_or("none", String::as_str);
        Reply::of(
            200,
            self.example(
                200,
                json!({"permission": permission, "role_name": permission, "user": {"login": login, "role_name": permission}}),
            ),
        )
    }

    fn status(&self, repository: &mut Contents) -> Reply {
        let status = Status {
            sha: self.argument("sha").to_owned(),
            context: self.body["context"].as_str().unwrap_or("default").to_owned(),
            state: self.text("state"),
            description: self.text("description"),
            target_url: self.body["target_url"].as_str().map(str::to_owned),
        };
        if !repository.commits.contains(&status.sha) {
            return Reply::fault(422, format!("No commit found for SHA: {}", status.sha));
        }
        if status.description.chars().count() > DESCRIPTION {
            return Reply::fault(
                422,
                "Validation Failed: description is too long (maximum is 140 characters)",
            );
        }
        let of_context =
            |other: &&Status| other.sha == status.sha && other.context.eq_ignore_ascii_case(&status.context);
        if repository.statuses.iter().filter(of_context).count() >= STATUSES {
            return Reply::fault(422, "This SHA and context has reached the maximum number of statuses.");
        }
        let answer = json!({
            "state": status.state,
            "context": status.context,
            "description": status.description,
            "target_url": status.target_url,
        });
        repository.statuses.push(status);
        Reply::of(201, self.example(201, answer))
    }

    fn deployments(&self, repository: &Contents) -> Reply {
        let asked = |name: &str, value: &str| self.arguments.get(name).is_none_or(|wanted| wanted == value);
        let found = repository.deployments.iter().rev().filter(|deployment| {
            asked("sha", &deployment.sha)
                && asked("ref", &deployment.sha)
                && asked("environment", &deployment.environment)
        });
        self.page(found.map(|deployment| self.deployment_as(200, deployment)).collect())
    }

    fn deploy(&self, repository: &mut Contents, id: u64) -> Reply {
        let sha = self.text("ref");
        if !repository.commits.contains(&sha) {
            return Reply::fault(422, format!("No ref found for: {sha}"));
        }
        if self.body["auto_merge"] != false {
            return Reply::fault(409, "Conflict merging the default branch into the ref.");
        }
        if self.body["required_contexts"] != json!([]) {
            return Reply::fault(409, "Conflict: Commit status checks failed for the ref.");
        }
        let deployment = Deployment {
            id,
            sha,
            environment: self.body["environment"].as_str().unwrap_or("production").to_owned(),
            request: self.body.clone(),
            statuses: Vec::new(),
        };
        let reply = Reply::of(201, self.deployment_as(201, &deployment));
        // "If an environment does not exist, it is created": https://docs.github.com/en/actions/concepts/workflows-and-actions/deployment-environments
        repository.environments.insert(deployment.environment.clone());
        repository.deployments.push(deployment);
        reply
    }

    /// Its deployments stay.
    fn delete_environment(&self, repository: &mut Contents) -> Reply {
        if repository.environments.remove(self.argument("environment_name")) {
            Reply::of(204, Value::Null)
        } else {
            Reply::fault(404, "Not Found")
        }
    }

    fn deployment_as(&self, status: u16, deployment: &Deployment) -> Value {
        self.example(
            status,
            json!({
                "id": deployment.id,
                "sha": deployment.sha,
                "ref": deployment.sha,
                "environment": deployment.environment,
                "original_environment": deployment.environment,
                "description": deployment.request["description"],
                "transient_environment": deployment.request["transient_environment"] == true,
                "production_environment": deployment.request["production_environment"] == true,
            }),
        )
    }

    fn deployment_status(&self, repository: &mut Contents) -> Reply {
        let id = self.number("deployment_id");
        if self.text("description").chars().count() > DESCRIPTION {
            return Reply::fault(
                422,
                "Validation Failed: description is too long (maximum is 140 characters)",
            );
        }
        let Some(deployment) = repository.deployments.iter_mut().find(|deployment| deployment.id == id) else {
            return Reply::fault(404, "Not Found");
        };
        deployment.statuses.push(self.body.clone());
        let environment = deployment.environment.clone();
        let members = ["state", "description", "environment_url", "log_url"];
        let mut answer = self.example(201, json!({"environment": environment}));
        for member in members {
            if let Some(value) = self.body.get(member) {
                answer[member] = value.clone();
            }
        }
        if self.body["auto_inactive"] != false && self.body["state"] == "success" {
            for other in &mut repository.deployments {
                let lasts =
                    other.request["transient_environment"] != true && other.request["production_environment"] != true;
                let live = other.statuses.last().is_some_and(|status| status["state"] == "success");
                if other.id < id && other.environment == environment && lasts && live {
                    other.statuses.push(json!({"state": "inactive"}));
                }
            }
        }
        Reply::of(201, answer)
    }

    fn comments(&self, repository: &Contents) -> Reply {
        let number = u32::try_from(self.number("issue_number")).unwrap_or(0);
        if !repository.pull_requests.contains_key(&number) {
            return Reply::fault(404, "Not Found");
        }
        let comments = repository.comments.iter().filter(|comment| comment.number == number);
        self.page(comments.map(|comment| self.comment_as(200, comment)).collect())
    }

    fn comment(&self, repository: &mut Contents, id: u64) -> Reply {
        let number = u32::try_from(self.number("issue_number")).unwrap_or(0);
        if !repository.pull_requests.contains_key(&number) {
            return Reply::fault(404, "Not Found");
        }
        if self.text("body").chars().count() > COMMENT {
            return Reply::fault(422, "Validation Failed: body is too long (maximum is 65536 characters)");
        }
        let (author, association) = match self.asker {
            Asker::Installation => ("thebestest[bot]", "NONE"),
            _ => ("pipeline", "COLLABORATOR"),
        };
        let comment = Comment {
            id,
            number,
            body: self.text("body"),
            author: author.to_owned(),
            association: association.to_owned(),
            edits: 0,
        };
        let reply = Reply::of(201, self.comment_as(201, &comment));
        repository.comments.push(comment);
        reply
    }

    fn edit(&self, repository: &mut Contents) -> Reply {
        let id = self.number("comment_id");
        if self.text("body").chars().count() > COMMENT {
            return Reply::fault(422, "Validation Failed: body is too long (maximum is 65536 characters)");
        }
        let Some(comment) = repository.comments.iter_mut().find(|comment| comment.id == id) else {
            return Reply::fault(404, "Not Found");
        };
        comment.body = self.text("body");
        comment.edits += 1;
        let comment = comment.clone();
        Reply::of(200, self.comment_as(200, &comment))
    }

    fn comment_as(&self, status: u16, comment: &Comment) -> Value {
        let page = format!(
            "https://github.com/{}/pull/{}#issuecomment-{}",
            self.repository(),
            comment.number,
            comment.id
        );
        let kind = if comment.author.ends_with("[bot]") {
            "Bot"
        } else {
            "User"
        };
        self.example(
            status,
            json!({
                "id": comment.id,
                "html_url": page,
                "body": comment.body,
                "author_association": comment.association,
                "user": {"login": comment.author, "type": kind},
            }),
        )
    }
}

/// Puts members into an object; of members that are objects on both sides the members.
fn merge(into: &mut Value, members: Value) {
    match (into, members) {
        (Value::Object(into), Value::Object(members)) => {
            for (name, value) in members {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, value) => *into = value,
    }
}
