//! The Lambda bootstrap: one binary for all functions, which serves the handler that `_HANDLER` names.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::shell::logs::begin();
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let served = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(runtime::shell::ShellError::Https)
        .and_then(|tokio| tokio.block_on(runtime::shell::run(variables)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(reason = %error, "cannot serve");
            ExitCode::FAILURE
        }
    }
}
