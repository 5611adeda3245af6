//! Lists, which GitHub answers page by page.

use serde::de::DeserializeOwned;

use super::message::{Answer, Call};
use super::{Client, Error};
use crate::functions::Invocation;

/// The most that GitHub puts on a page.
const PER_PAGE: usize = 100;

impl Client {
    /// All pages of a list, or as many as `until` wants: it is shown each page and says whether it was enough. `query` begins
    /// with `?` and has no page in it.
    ///
    /// The header `link` only says whether there is another page. Its addresses are not followed, since the credential would go along.
    pub(super) async fn pages<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &str,
        what: &str,
        invocation: &Invocation,
        mut until: impl FnMut(&[T]) -> bool,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let separator = if query.is_empty() { "?" } else { "&" };
        for page in 1_u32.. {
            let path = format!("{path}{query}{separator}per_page={PER_PAGE}&page={page}");
            let answer = self
                .transport
                .send(&Call::get(path, what.to_owned()), invocation)
                .await?;
            let items: Vec<T> = answer.read()?;
            let enough = until(&items);
            all.extend(items);
            if enough || !has_next(&answer) {
                break;
            }
        }
        Ok(all)
    }
}

/// Whether there is another page, see <https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api>.
fn has_next(answer: &Answer) -> bool {
    let links = answer
        .headers
        .get_all("link")
        .iter()
        .filter_map(|value| value.to_str().ok());
    links
        .flat_map(|links| links.split(','))
        .any(|link| link.contains("rel=\"next\""))
}
