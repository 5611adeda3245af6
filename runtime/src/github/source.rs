//! A commit's files, as the zip that GitHub makes of them.

use bytes::Bytes;
use http_body_util::BodyExt;

use super::exchange::{Body, time_left};
use super::message::Call;
use super::{Client, Error, repository, segment};
use crate::functions::Invocation;

/// A zip on its way.
#[derive(Debug)]
pub struct Zipball {
    body: Body,
    what: String,
}

impl Client {
    /// The zip of a commit, see <https://docs.github.com/en/rest/repos/contents#download-a-repository-archive-zip>.
    ///
    /// GitHub redirects to where it lies, with an address that opens it for five minutes without any credential. So the credential
    /// never goes there, even where it is the same host, as it is on an Enterprise Server.
    ///
    /// # Errors
    /// All of [`Error`]; [`Error::Missing`] where GitHub does not have the commit.
    pub async fn zipball(&self, repository_name: &str, sha: &str, invocation: &Invocation) -> Result<Zipball, Error> {
        let path = format!("{}/zipball/{}", repository(repository_name), segment(sha));
        let what = format!("the files of {repository_name}@{sha}");
        let address = self
            .transport
            .location(&Call::get(path, what.clone()), invocation)
            .await?;
        let response = self.transport.open(&address, &what, invocation).await?;
        Ok(Zipball {
            body: response.into_body(),
            what,
        })
    }
}

impl Zipball {
    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where it breaks off, or nothing comes until the function's time is over.
    pub async fn next(&mut self, invocation: &Invocation) -> Result<Option<Bytes>, Error> {
        let unavailable = |message| Error::Unavailable {
            what: self.what.clone(),
            message,
        };
        loop {
            let frame = tokio::time::timeout(time_left(invocation), self.body.frame())
                .await
                .map_err(|_| unavailable("it stopped arriving, and no time is left; try again".to_owned()))?;
            match frame {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
                Some(Err(fault)) => return Err(unavailable(format!("it broke off: {fault}; try again"))),
            }
        }
    }
}
