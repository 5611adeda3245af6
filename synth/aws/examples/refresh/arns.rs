//! The ARNs of resource types: the CDK's own facts, of about half of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

/// By type, such as `AWS::S3::Bucket`, its ARN with variables: `arn:${Partition}:s3:::${BucketName}`.
pub(crate) fn read(package: &Path) -> Result<BTreeMap<String, String>, String> {
    let path = package.join("db.json.gz");
    let file = File::open(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let database: Value =
        serde_json::from_reader(GzDecoder::new(file)).map_err(|error| format!("{}: {error}", path.display()))?;
    let resources = database.pointer("/schema/resource/entities").and_then(Value::as_array);
    let arns: BTreeMap<String, String> = resources
        .into_iter()
        .flatten()
        .filter_map(|resource| {
            let type_name = resource.get("cloudFormationType")?.as_str()?;
            Some((type_name.to_owned(), resource.get("arnTemplate")?.as_str()?.to_owned()))
        })
        .collect();
    match arns.len() {
        0 => Err(format!("no ARNs in {}: its layout has changed", path.display())),
        _ => Ok(arns),
    }
}
