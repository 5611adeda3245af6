//! What the tests of the whole system stand on: validators that other people wrote, run on what this workspace emits.
//!
//! The code that emits a template cannot be its judge. So each kind of output is given to a tool that knows the format from elsewhere:
//!
//! | output | module | judge |
//! |---|---|---|
//! | CloudFormation templates | [`cfn_lint`] | cfn-lint, with the registry schemas of the generated resource types |
//! | state machines | [`asl`] | asl-validator, and the JSONata reference parser |
//! | buildspecs | [`buildspec`] | a JSON Schema of the CodeBuild User Guide's reference |
//! | API Gateway mapping templates | [`velocity`] | the Velocity engine that API Gateway runs, and a second one that shares no code with it |
//! | YAML output | [`yaml`] | PyYAML, read the way CloudFormation reads YAML |
//! | alarms | [`metrics`] | the metrics and dimensions that AWS's services publish, as the CDK knows them |
//!
//! A validator answers with [`Finding`]s; what a test tolerates is the test's own decision. [`tools`] installs what the validators
//! need into the target folder, pinned by hash. A test that cannot run because the machine lacks Python, Node or Debian's archive
//! ends through [`or_skip`], which leaves a record and fails under `TESTING_FORBID_SKIP=1`.
//!
//! [`github`] is a GitHub on loopback, for what talks to it. Its judge is GitHub's own description of its API.
//!
//! [`emission`] is what they judge: every template and document of the shared stacks and of several environments.
//!
//! What runs is tested on [`aws`], a local AWS behind a front that records every call and refuses what AWS's own models forbid.
//!
//! [`localemu`] is a second local AWS, whose API Gateway serves the emitted mapping templates over HTTP.
//!
//! [`toolbox`] is what lets a build's emitted commands run on a machine without AWS and internet.
//!
//! [`rehearsal`] puts all of it together: a pull request from its webhook to its teardown, which the program of this package shows.
//!
//! [`claims`] says what of all this is taken on whose word, and what only an account can show.
//!
//! This crate never reaches AWS or GitHub, never installs anything outside the target folder, and nothing that is deployed links it.
//! Its only network traffic is to package registries, through their own clients, when a tool is installed.

pub mod asl;
pub mod authorization;
pub mod aws;
pub mod buildspec;
pub mod cfn_lint;
pub mod claims;
pub mod costs;
pub mod emission;
pub mod github;
pub mod lambda;
pub mod localemu;
pub mod metrics;
pub mod rehearsal;
pub mod spelling;
pub mod toolbox;
pub mod tools;
pub mod velocity;
pub mod yaml;

mod emulator;
mod error;
mod finding;
mod serve;
mod skip;

pub use error::{Error, Refusal};
pub use finding::{Finding, Level};
pub use skip::{FORBID, or_skip, skipped};
