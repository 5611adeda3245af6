//! Comments of a pull request, which GitHub keeps with its issue.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::message::Call;
use super::{Client, Error, repository};
use crate::functions::Invocation;

/// How often a comment is looked for and tried to be made.
const TRIES: u32 = 3;

/// A comment, see <https://docs.github.com/en/rest/issues/comments#get-an-issue-comment>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its id.
    pub id: u64,
    /// Its page.
    pub url: String,
    /// Its text, Markdown.
    pub body: String,
}

/// GitHub's own form of a comment.
#[derive(Deserialize)]
struct IssueComment {
    id: u64,
    html_url: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<Author>,
    #[serde(default)]
    author_association: String,
}

#[derive(Deserialize)]
struct Author {
    r#type: String,
}

impl Client {
    /// The first comment of a pull request with `marker` in it, by an app or by somebody who belongs to the repository. Whoever else
    /// writes the marker writes it in vain: no comment of theirs is taken for ours, and none is changed.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn find_comment(
        &self,
        repository_name: &str,
        number: u32,
        marker: &str,
        invocation: &Invocation,
    ) -> Result<Option<Comment>, Error> {
        let path = format!("{}/issues/{number}/comments", repository(repository_name));
        let what = format!("the comments of {repository_name}#{number}");
        let ours = |comment: &IssueComment| comment.is_by_us(marker);
        let comments = self
            .pages(&path, "", &what, invocation, |page| page.iter().any(ours))
            .await?;
        Ok(comments.into_iter().find(ours).map(Comment::from))
    }

    /// The comment with `marker` in it, which `body` must contain: the one that is there, or a new one with this body. Never makes a second
    /// one, even if GitHub does not say whether it made the first. Says whether it is new.
    ///
    /// # Errors
    /// All of [`Error`].
    pub async fn ensure_comment(
        &self,
        repository_name: &str,
        number: u32,
        marker: &str,
        body: &str,
        invocation: &Invocation,
    ) -> Result<(Comment, bool), Error> {
        let path = format!("{}/issues/{number}/comments", repository(repository_name));
        let what = format!("a comment on {repository_name}#{number}");
        let call = Call::with_body(Method::POST, path, what.clone(), &json!({ "body": body }));
        for attempt in 1..=TRIES {
            let found = self.find_comment(repository_name, number, marker, invocation).await?;
            if let Some(found) = found {
                return Ok((found, false));
            }
            if let Some(answer) = self.transport.send_once(&call, invocation).await? {
                return Ok((answer.read::<IssueComment>()?.into(), true));
            }
            self.transport.pause(&call, attempt, invocation).await?;
        }
        Err(Error::Unavailable {
            what,
            message: format!("it could not be made in {TRIES} attempts; try again in a minute"),
        })
    }

    /// Gives a comment another text.
    ///
    /// # Errors
    /// All of [`Error`]; [`Error::Missing`] if somebody deleted it.
    pub async fn update_comment(
        &self,
        repository_name: &str,
        id: u64,
        body: &str,
        invocation: &Invocation,
    ) -> Result<Comment, Error> {
        let path = format!("{}/issues/comments/{id}", repository(repository_name));
        let what = format!("comment {id} of {repository_name}");
        let call = Call::with_body(Method::PATCH, path, what, &json!({ "body": body }));
        let comment: IssueComment = self.transport.send(&call, invocation).await?.read()?;
        Ok(comment.into())
    }
}

impl IssueComment {
    fn is_by_us(&self, marker: &str) -> bool {
        let insider = matches!(self.author_association.as_str(), "OWNER" | "MEMBER" | "COLLABORATOR");
        let app = self.user.as_ref().is_some_and(|user| user.r#type == "Bot");
        (insider || app) && self.body.as_ref().is_some_and(|body| body.contains(marker))
    }
}

impl From<IssueComment> for Comment {
    fn from(comment: IssueComment) -> Self {
        Self {
            id: comment.id,
            url: comment.html_url,
            body: comment.body.unwrap_or_default(),
        }
    }
}
