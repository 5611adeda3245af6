//! Uploads by content hash, to the artifacts bucket: what is there already has the same content and is not sent again.

use aws_sdk_s3::primitives::ByteStream;

use crate::account::Account;
use crate::error::{Error, aws};
use crate::event::{Event, Frontend};
use crate::wanted::{Wanted, hash};

/// Uploads the functions' code; returns its key.
///
/// # Errors
/// Where S3 refuses.
pub async fn code(account: &Account, bucket: &str, zip: &[u8], frontend: &dyn Frontend) -> Result<String, Error> {
    let key = format!("{}{}.zip", stacks::artifacts::CODE, hash(zip));
    upload(account, bucket, "bootstrap", &key, "application/zip", zip, frontend).await?;
    Ok(key)
}

/// Uploads a template that is too large for a request; returns the address that CloudFormation reads it at.
///
/// # Errors
/// Where S3 refuses.
pub async fn template(
    account: &Account,
    bucket: &str,
    wanted: &Wanted,
    frontend: &dyn Frontend,
) -> Result<String, Error> {
    let key = format!(
        "{}{}.json",
        stacks::artifacts::TEMPLATES,
        hash(wanted.template.as_bytes())
    );
    let name = format!("template of {}", wanted.name);
    let body = wanted.template.as_bytes();
    upload(account, bucket, &name, &key, "application/json", body, frontend).await?;
    Ok(format!("https://s3.{}.amazonaws.com/{bucket}/{key}", account.region))
}

async fn upload(
    account: &Account,
    bucket: &str,
    name: &str,
    key: &str,
    kind: &str,
    body: &[u8],
    frontend: &dyn Frontend,
) -> Result<(), Error> {
    let place = format!("s3://{bucket}/{key}");
    let head = account.objects.head_object().bucket(bucket).key(key).send().await;
    let there = match head {
        Ok(_) => true,
        Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => false,
        Err(error) => return Err(aws(format!("cannot look for {place}"), &error)),
    };
    if !there {
        let put = account.objects.put_object().bucket(bucket).key(key);
        let put = put.content_type(kind).body(ByteStream::from(body.to_vec()));
        put.send()
            .await
            .map_err(|error| aws(format!("cannot upload {place}"), &error))?;
    }
    frontend.event(&Event::Asset {
        name: name.to_owned(),
        place,
        bytes: body.len(),
        uploaded: !there,
    });
    Ok(())
}
