//! The metrics that AWS's services publish, with their dimensions: npm `@aws-cdk/aws-service-spec`, which the CDK's own metrics are
//! generated from.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::{Error, tools};

/// A metric of a service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Metric {
    /// The namespace, such as `AWS/Lambda`.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The sets of dimensions that it comes with: an alarm on any other set never has data.
    pub dimensions: Vec<BTreeSet<String>>,
}

/// Every metric that is known.
///
/// # Errors
/// When Node or the package cannot be had or run.
pub fn known() -> Result<Vec<Metric>, Error> {
    let modules = tools::node_modules()?;
    let mut command = tools::node()?;
    command.arg(tools::script("metrics.cjs")).arg(modules);
    tools::answer("aws-service-spec", &mut command, "")
}
