//! Everything of `synth_aws::codebuild`, and buildspecs on top of it.
//!
//! A [`Buildspec`] is what CodeBuild runs: phases in order, the environment they read, and the reports, artifacts and
//! caches they leave. A [`Variable`] is named once and used by whoever provides it and by the commands that read it:
//!
//! ```
//! use synth::codebuild::{Artifacts, Buildspec, FileFormat, Phase, Report, Runtime, Variable};
//!
//! const TABLE: Variable = Variable::new("TABLE_NAME");
//!
//! let spec = Buildspec::new()
//!     .runtime_version(Runtime::Python, "3.12")
//!     .pre_build(Phase::new(["pip install -r requirements.txt"]))
//!     .build(Phase::new([format!("pytest --table {TABLE} --junitxml=reports/unit.xml")]))
//!     .report(Report::new("unit-tests", FileFormat::JunitXml, ["reports/*.xml"]))
//!     .artifacts(Artifacts::new(["**/*"]));
//!
//! assert_eq!(spec.check(&[TABLE.name()]), []);
//! assert_eq!(
//!     spec.check(&["TABEL_NAME"])[0].message,
//!     "`pytest --table ${TABLE_NAME} --junitxml=reports/unit.xml` reads TABLE_NAME, which nothing provides; provided are: TABEL_NAME"
//! );
//! ```
//!
//! A buildspec holds no deploy-time values: those reach the build as environment variables of the project or of the
//! pipeline's action, so that the text of a buildspec is the same wherever it is deployed.
//!
//! This module never runs a command, never reads a repository's own `buildspec.yml`, and grants nothing.

mod buildspec;
mod environment;
mod output;
mod phase;
mod provided;
mod shell;
pub(crate) mod spelling;

pub use buildspec::Buildspec;
pub(crate) use environment::fault_of_name;
pub use environment::{SecretReference, Shell, Variable};
pub use output::{Artifacts, Cache, FileFormat, Report};
pub use phase::{OnFailure, Phase, PhaseName, Runtime};
pub use synth_aws::codebuild::*;
