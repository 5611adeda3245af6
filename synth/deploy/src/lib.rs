//! Puts the stacks that all pull requests share on AWS, and points GitHub's webhook at them.
//!
//! [`up::run`] is the whole on one screen; each other module does one thing of it:
//!
//! | module | what |
//! |---|---|
//! | [`account`] | credentials, region and clients, and who they belong to |
//! | [`bootstrap`] | the functions' binary: built or taken, judged, zipped the same way every time |
//! | [`wanted`] | what is to be deployed: synthesized in process, with its fingerprint |
//! | [`assets`] | uploads by content hash, skipped where they are |
//! | [`memory`] | what a run leaves for the next one, and the lock that keeps two apart: one object in the artifacts bucket |
//! | [`checks`], [`names`], [`quotas`] | what is looked at before anything is made |
//! | [`plan`] | what a change would do, and which data it would lose |
//! | `settle` | one stack brought to what is wanted, from wherever it is |
//! | [`change_set`] | one change set, from its creation to its execution |
//! | [`follow`] | a stack's events while it changes, and the first that failed |
//! | [`github`], [`webhook`] | the hook at the API's address, its ping and the answer |
//! | [`secrets`] | GitHub's credentials: asked for only where they are missing or to be changed |
//! | [`diff`], [`status`] | what is deployed against what is wanted, and what is not as it should be |
//! | [`doctor`] | everything that `up` will need, before it is needed |
//! | [`down`] | a pull request or everything removed, with a receipt |
//! | [`reconcile`] | the reconciler's next run, now |
//! | [`redeliver`] | deliveries that had failed, made again |
//! | [`environments`] | the environments that there are |
//! | [`event`] | everything that happens, as values: the binary renders them for people or machines |
//!
//! Nothing here prints, reads flags or ends the process. Everything that is asked of AWS may be asked again: a run that was killed at
//! any point is continued by the next.

pub mod account;
pub mod assets;
pub mod bootstrap;
pub mod change_set;
pub mod checks;
pub mod diff;
pub mod doctor;
pub mod down;
pub mod environments;
pub mod error;
pub mod event;
pub mod follow;
pub mod github;
pub mod memory;
pub mod names;
pub mod plan;
pub mod quotas;
pub mod reconcile;
pub mod redeliver;
pub mod secrets;
mod settle;
pub mod status;
pub mod up;
pub mod wanted;
pub mod webhook;

pub use error::Error;
pub use event::{Event, Frontend};
