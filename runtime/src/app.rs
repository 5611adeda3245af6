//! TheBestest's rules: who asks, for what, and what the answer looks like. Knows no table; [`functions`](crate::functions) asks it.
//!
//! Every fault is an HTTP answer, so that API Gateway passes on words instead of its own 502.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::{AppError, Item, ItemPage, NewItem, ProxyRequest, ProxyResponse};
use percent_encoding::percent_decode_str;
use serde::Serialize;

/// The longest category name, in characters.
const CATEGORY: usize = 100;
/// The longest place name, in characters.
const PLACE: usize = 200;
/// The longest note, in characters.
const NOTE: usize = 2_000;
/// The most items of a page. Even if all are as long as they may be, DynamoDB reads them at once.
const MOST: usize = 100;
/// The items of a page that asks for no number.
const USUAL: usize = 25;

/// A request that is answered with an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request is wrong.
    #[error("{0}")]
    Invalid(String),
    /// Nobody is signed in.
    #[error("nobody is signed in\n  help: send the id token of the user pool in the Authorization header")]
    Unauthorized,
    /// There is no such item.
    #[error("there is no item of the category `{0}`")]
    NotFound(String),
    /// The item is no longer at the version that the change is based on.
    #[error(
        "the item is {}, the change is based on version {based_on}\n  help: get the item, and change it again from there",
        current.map_or_else(|| "not there".to_owned(), |version| format!("at version {version}"))
    )]
    Conflict {
        /// What the change is based on.
        based_on: u64,
        /// Where the item is, if it is there.
        current: Option<u64>,
    },
    /// The table does not answer.
    #[error("the items are out of reach\n  help: try again in a moment")]
    Unavailable,
    /// A fault of ours, which the log names.
    #[error("something is wrong with this service")]
    Broken,
}

/// Who asks: the `sub` of the token's claims, which API Gateway's authorizer has verified.
///
/// # Errors
/// [`Refusal::Unauthorized`] if nobody does.
pub fn user(request: &ProxyRequest) -> Result<&str, Refusal> {
    let claims = request
        .request_context
        .get("authorizer")
        .map(|authorizer| &authorizer["claims"]);
    claims
        .and_then(|claims| claims["sub"].as_str())
        .filter(|sub| !sub.is_empty())
        .ok_or(Refusal::Unauthorized)
}

/// The category that the path names. API Gateway hands it over percent-encoded.
///
/// # Errors
/// [`Refusal::Invalid`] unless it is 1 to 100 characters, none of them a control character.
pub fn category(request: &ProxyRequest) -> Result<String, Refusal> {
    let parameters = request.path_parameters.as_ref();
    let encoded = parameters.and_then(|parameters| parameters.get("category_name"));
    let encoded = encoded.map_or("", String::as_str);
    let name = percent_decode_str(encoded).decode_utf8();
    let name =
        name.map_err(|_| Refusal::Invalid(format!("the category `{encoded}` is no UTF-8 once it is decoded")))?;
    valid_category(name.into_owned())
}

fn valid_category(name: String) -> Result<String, Refusal> {
    let length = name.chars().count();
    if !(1..=CATEGORY).contains(&length) {
        return Err(Refusal::Invalid(format!(
            "the category has {length} characters, allowed are 1 to {CATEGORY}"
        )));
    }
    if name.chars().any(char::is_control) {
        return Err(Refusal::Invalid("the category has control characters".to_owned()));
    }
    Ok(name)
}

/// A page that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// At most so many items.
    pub limit: usize,
    /// Those after this category; all of them without.
    pub after: Option<String>,
}

/// The page that the query asks for: `limit`, 1 to 100 and 25 if left out, and `next`, the token of the page before.
///
/// A token says only after which category to go on. Whose items those are says the user's own token, so that whatever somebody
/// makes of a `next`, it leads to their own items.
///
/// # Errors
/// [`Refusal::Invalid`] if one of them is not what it should be.
pub fn page_request(request: &ProxyRequest) -> Result<PageRequest, Refusal> {
    let parameters = request.query_string_parameters.as_ref();
    let parameter = |name: &str| parameters.and_then(|parameters| parameters.get(name));
    let limit = match parameter("limit") {
        None => USUAL,
        Some(text) => {
            let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
            limit.ok_or_else(|| Refusal::Invalid(format!("`limit` is `{text}`, allowed are 1 to {MOST}")))?
        }
    };
    let after = match parameter("next") {
        None => None,
        Some(token) => {
            let bytes = URL_SAFE_NO_PAD.decode(token).ok();
            let name = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            let name = name.and_then(|name| valid_category(name).ok());
            let help =
                "`next` is no token of this service\n  help: pass the `next` of the page before, or none to begin anew";
            Some(name.ok_or_else(|| Refusal::Invalid(help.to_owned()))?)
        }
    };
    Ok(PageRequest { limit, after })
}

/// The page of these items, which are more than `limit` if there is another page, or if `more` says so.
pub fn page(mut items: Vec<Item>, limit: usize, more: bool) -> ItemPage {
    let more = more || items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| more);
    let next = last.map(|item| URL_SAFE_NO_PAD.encode(&item.category_name));
    ItemPage { items, next }
}

/// The item that the body describes.
///
/// # Errors
/// [`Refusal::Invalid`] unless it is one. API Gateway's validator has the same rules, but not everybody comes through it.
pub fn new_item(request: &ProxyRequest) -> Result<NewItem, Refusal> {
    let body = request.body.as_deref().unwrap_or_default();
    let item: NewItem =
        serde_json::from_str(body).map_err(|fault| Refusal::Invalid(format!("the body is no item: {fault}")))?;
    let within = |what: &str, text: &str, least: usize, most: usize| {
        let length = text.chars().count();
        if (least..=most).contains(&length) {
            return Ok(());
        }
        Err(Refusal::Invalid(format!(
            "`{what}` has {length} characters, allowed are {least} to {most}"
        )))
    };
    within("place_name", &item.place_name, 1, PLACE)?;
    within("note", item.note.as_deref().unwrap_or_default(), 0, NOTE)?;
    if item.version == Some(0) {
        return Err(Refusal::Invalid("`version` is 0, allowed is 1 or more".to_owned()));
    }
    Ok(item)
}

/// What to write, on which condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The item with its new version.
    pub item: Item,
    /// The version that must be there; no item at all without.
    pub only_if: Option<u64>,
}

/// What a condition that failed found instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// What was asked for is there already.
    Done(Item),
    /// Write this instead.
    Write(Write),
    /// Refuse the request.
    Refuse(Refusal),
}

/// The first attempt to write what is asked for.
///
/// A table that can only be written to cannot be asked for the version, so a change without one is first taken for a new item;
/// the condition that fails then brings the item that is there.
///
/// # Errors
/// [`Refusal::Conflict`] if no item can be at that version.
pub fn first_write(category: &str, new: &NewItem) -> Result<Write, Refusal> {
    write_on(category, new, new.version)
}

/// What to do after the condition failed on `current`.
pub fn after_conflict(category: &str, new: &NewItem, current: Option<Item>) -> Next {
    let version = current.as_ref().map(|item| item.version);
    if let Some(item) = current
        && item.place_name == new.place_name
        && item.note == new.note
        && new
            .version
            .is_none_or(|based_on| based_on.checked_add(1) == Some(item.version))
    {
        // An answer that got lost is asked for again: the change is there, and it was this one.
        return Next::Done(item);
    }
    let next = match new.version {
        Some(based_on) => Err(Refusal::Conflict {
            based_on,
            current: version,
        }),
        None => write_on(category, new, version),
    };
    next.map_or_else(Next::Refuse, Next::Write)
}

fn write_on(category: &str, new: &NewItem, only_if: Option<u64>) -> Result<Write, Refusal> {
    let version = only_if.unwrap_or(0).checked_add(1).ok_or(Refusal::Conflict {
        based_on: u64::MAX,
        current: None,
    })?;
    Ok(Write {
        item: Item {
            category_name: category.to_owned(),
            place_name: new.place_name.clone(),
            note: new.note.clone(),
            version,
        },
        only_if,
    })
}

/// An answer with a body.
pub fn answer(status: u16, body: &impl Serialize) -> ProxyResponse {
    // The types of the contract always serialize; an empty object would be told from them at once.
    let body = serde_json::to_string(body).unwrap_or_else(|_| "{}".to_owned());
    let mut headers = headers();
    headers.insert("Content-Type".to_owned(), "application/json".to_owned());
    ProxyResponse {
        status_code: status,
        headers,
        body,
    }
}

/// The answer that there is nothing to say.
pub fn no_content() -> ProxyResponse {
    ProxyResponse {
        status_code: 204,
        headers: headers(),
        body: String::new(),
    }
}

/// Whatever came of it, as an answer.
pub fn respond(outcome: Result<ProxyResponse, Refusal>) -> ProxyResponse {
    let refusal = match outcome {
        Ok(response) => return response,
        Err(refusal) => refusal,
    };
    let (status, header) = match &refusal {
        Refusal::Invalid(_) => (400, None),
        Refusal::Unauthorized => (401, Some(("WWW-Authenticate", "Bearer"))),
        Refusal::NotFound(_) => (404, None),
        Refusal::Conflict { .. } => (409, None),
        Refusal::Unavailable => (503, Some(("Retry-After", "1"))),
        Refusal::Broken => (500, None),
    };
    let message = refusal.to_string();
    let mut response = answer(status, &AppError { message });
    let header = header.map(|(name, value)| (name.to_owned(), value.to_owned()));
    response.headers.extend(header);
    response
}

/// What every answer says: it is one user's, and it is what it says it is.
fn headers() -> BTreeMap<String, String> {
    [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

#[cfg(test)]
mod tests;
