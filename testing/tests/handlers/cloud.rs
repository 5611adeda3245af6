//! How a handler is started on the local AWS: with the variables that Lambda would set, and the clients that it has there.

use runtime::aws::{self, SdkConfig};
use runtime::functions::{Environment, Function};
use synth::{EnvironmentVariable, Handler};
use testing::aws::Cloud;

/// Clients and functions of an account.
pub(crate) trait Configured {
    /// What clients are made from: `Client::new(&cloud.config("test"))`. Their calls are the `caller`'s.
    fn config(&self, caller: &str) -> SdkConfig;

    /// What a function starts with; its calls are its handler's.
    fn environment<F: Function>(&self, variables: &[(EnvironmentVariable, &str)]) -> Environment;

    /// A function that is ready.
    fn function<F: Function>(&self, variables: &[(EnvironmentVariable, &str)]) -> F {
        F::new(&self.environment::<F>(variables)).expect("the function starts")
    }
}

impl Configured for Cloud {
    fn config(&self, caller: &str) -> SdkConfig {
        aws::config(&self.variables(), caller).expect("the configuration is complete")
    }

    fn environment<F: Function>(&self, variables: &[(EnvironmentVariable, &str)]) -> Environment {
        let variables = variables
            .iter()
            .map(|(variable, value)| (variable.name.to_owned(), (*value).to_owned()));
        Environment::new(variables, self.config(<F::Contract as Handler>::NAME))
    }
}
