//! CloudFormation on the local AWS: the emitted templates live through it, and what AWS refuses is refused.

mod account;
mod emitted;
mod pipelines;
mod refusals;
