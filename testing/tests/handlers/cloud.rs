//! How a handler is started on the local AWS: with the variables that Lambda would set, and the clients that it has there.

use std::sync::LazyLock;

use runtime::aws::{self, SdkConfig};
use runtime::functions::{Environment, Function};
use synth::{EnvironmentVariable, Handler};
use testing::aws::Cloud;
use testing::emission::{self, Emission};

/// Clients and functions of an account.
pub(crate) trait Configured {
    /// What clients are made from: `Client::new(&cloud.config("test"))`. Their calls are the `caller`'s.
    fn config(&self, caller: &str) -> SdkConfig;

    /// What a function starts with; its calls are its handler's.
    fn environment<F: Function>(&self, variables: &[(EnvironmentVariable, &str)]) -> Environment;

    /// A function with the variables that its template gives it, under the names that its resources have in this account; those
    /// that only a deployment knows, such as the ARN of a secret, are given.
    fn deployed<F: Function>(&self, owner: &str, known: &[(EnvironmentVariable, &str)]) -> F;

    /// A function that is ready.
    fn function<F: Function>(&self, variables: &[(EnvironmentVariable, &str)]) -> F {
        F::new(&self.environment::<F>(variables)).expect("the function starts")
    }
}

impl Configured for Cloud {
    fn config(&self, caller: &str) -> SdkConfig {
        aws::config(&self.variables(caller), caller).expect("the configuration is complete")
    }

    fn environment<F: Function>(&self, variables: &[(EnvironmentVariable, &str)]) -> Environment {
        let variables = variables
            .iter()
            .map(|(variable, value)| (variable.name.to_owned(), (*value).to_owned()));
        Environment::new(variables, self.config(<F::Contract as Handler>::NAME))
    }

    fn deployed<F: Function>(&self, owner: &str, known: &[(EnvironmentVariable, &str)]) -> F {
        let handler = <F::Contract as Handler>::NAME;
        let given = testing::aws::variables(emissions(), owner, handler, self.account());
        let mut variables = given.expect("a stack of the owner has the function");
        variables.extend(
            known
                .iter()
                .map(|(variable, value)| (variable.name.to_owned(), (*value).to_owned())),
        );
        F::new(&Environment::new(variables, self.config(handler))).expect("the function starts")
    }
}

/// Everything that is emitted, synthesized once.
pub(crate) fn emissions() -> &'static [Emission] {
    static EMISSIONS: LazyLock<Vec<Emission>> = LazyLock::new(emission::everything);
    &EMISSIONS
}
