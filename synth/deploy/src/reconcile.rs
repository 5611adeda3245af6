//! `reconcile`: the reconciler's next run, now.
//!
//! It runs by itself, as often as the configuration says; by hand after an outage, or to see what it would do.

use aws_sdk_lambda::primitives::Blob;
use contract::{ReconcileRequest, Reconciled};
use serde_json::Value;
use stacks::Project;
use stacks::names::Names;
use synth::Handler;

use crate::account::Account;
use crate::error::{Error, aws, told};
use crate::event::{Event, Frontend};

/// Runs it once; what it has started goes on by itself.
///
/// # Errors
/// Where the shared stacks are not there, or the function fails.
pub async fn run(account: &Account, project: &Project, dry_run: bool, frontend: &dyn Frontend) -> Result<(), Error> {
    let function = Names::of(project).shared(contract::Reconcile::NAME);
    let Some(found) = invoke(account, &function, dry_run).await? else {
        return Err(Error::Unusable(format!(
            "there is no function {function}\n  help: run `deploy up` first"
        )));
    };
    frontend.event(&Event::Reconciled {
        compared: found.compared,
        dry_run,
        repairs: found.started,
        more: found.more,
    });
    Ok(())
}

/// Has it finish what an environment that was removed by hand has left: its record, GitHub's deployment, its place. Where it cannot
/// be asked, it does that at its next run by itself.
pub(crate) async fn finish(account: &Account, project: &Project, frontend: &dyn Frontend) {
    let function = Names::of(project).shared(contract::Reconcile::NAME);
    match invoke(account, &function, false).await {
        Ok(Some(found)) => frontend.event(&Event::Reconciled {
            compared: found.compared,
            dry_run: false,
            repairs: found.started,
            more: found.more,
        }),
        // Without the shared stacks there are no records either.
        Ok(None) => {}
        Err(error) => frontend.event(&Event::Warning {
            message: format!("what the records say of the environment is left to the reconciler's next run: {error}"),
        }),
    }
}

/// The reconciler's answer; none if there is no reconciler.
async fn invoke(account: &Account, function: &str, dry_run: bool) -> Result<Option<Reconciled>, Error> {
    let doing = || format!("the reconciler {function} has failed");
    let request = serde_json::to_vec(&ReconcileRequest { dry_run });
    let request = request.map_err(|error| told(doing(), &error.to_string()))?;
    let invoked = account
        .functions
        .invoke()
        .function_name(function)
        .payload(Blob::new(request));
    let answer = match invoked.send().await {
        Ok(answer) => answer,
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_resource_not_found_exception()) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(aws(doing(), &error)),
    };
    let payload = answer.payload().map(AsRef::as_ref).unwrap_or_default();
    if answer.function_error().is_some() {
        let fault: Value = serde_json::from_slice(payload).unwrap_or_default();
        let word = |member: &str| fault[member].as_str().unwrap_or("no words").to_owned();
        return Err(Error::Aws {
            doing: doing(),
            words: format!("{}: {}", word("errorType"), word("errorMessage")),
            help: "its log says more; it runs again by itself",
        });
    }
    let found = serde_json::from_slice(payload);
    found
        .map(Some)
        .map_err(|error| told(doing(), &format!("its answer is not understood: {error}")))
}
