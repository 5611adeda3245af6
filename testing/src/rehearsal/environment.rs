//! A pull request's live environment, as its users see it: they sign in and ask its API.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::json;

use crate::aws::Failure;

use super::{RehearsalError, event::Happening, world::World};

/// What is asked of the sample application's API.
const PATH: &str = "/items";

/// Asks the environment's API without a token and as a user who has signed in. Nothing is asked of an application that has no users.
///
/// # Errors
/// Where the environment is not there, or does not answer.
pub(super) fn visit(world: &World, stack: &str) -> Result<Vec<(String, u16)>, RehearsalError> {
    let outputs = world.stacks.outputs(stack)?.unwrap_or_default();
    let of = |name: &str| outputs.get(name).map(String::as_str);
    let (Some(url), Some(pool), Some(client)) = (of("Url"), of("UserPoolId"), of("UserPoolClientId")) else {
        return Ok(Vec::new());
    };
    let url = world.here(url);
    world
        .recorder
        .ready(format!("the environment {stack}"), Some(format!("{url}{PATH}")));
    let token = sign_in(world, pool, client)?;
    let mut answers = Vec::new();
    for (who, token) in [("nobody", None), ("a signed-in user", Some(token))] {
        let (status, body) = get(world, &format!("{url}{PATH}"), token.as_deref())?;
        let request = format!("GET {PATH} as {who}");
        world.recorder.record(Happening::Answered {
            request: request.clone(),
            status,
            body,
        });
        answers.push((request, status));
    }
    Ok(answers)
}

/// Makes a user and signs in; returns the id token.
fn sign_in(world: &World, pool: &str, client: &str) -> Result<String, RehearsalError> {
    const SERVICE: &str = "cognito-idp";
    // Opens nothing but a user pool in this process.
    const USER: &str = "rehearsal@example.com";
    const PASSWORD: &str = "Rehearsal-of-a-pull-request-1";
    let asker = world.cloud.client("user");
    let ask = |operation: &str, parameters| {
        asker.json(
            SERVICE,
            &format!("AWSCognitoIdentityProviderService.{operation}"),
            &parameters,
        )
    };
    let made = ask(
        "AdminCreateUser",
        json!({ "UserPoolId": pool, "Username": USER, "MessageAction": "SUPPRESS" }),
    );
    match made {
        // The environment has been visited before.
        Err(Failure::Refused { code, .. }) if code == "UsernameExistsException" => {}
        other => drop(other?),
    }
    ask(
        "AdminSetUserPassword",
        json!({ "UserPoolId": pool, "Username": USER, "Password": PASSWORD, "Permanent": true }),
    )?;
    let signed_in = ask(
        "InitiateAuth",
        json!({ "ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": { "USERNAME": USER, "PASSWORD": PASSWORD } }),
    )?;
    let token = signed_in["AuthenticationResult"]["IdToken"].as_str();
    token
        .map(str::to_owned)
        .ok_or_else(|| RehearsalError::Unreadable("signing in gave no token".to_owned()))
}

fn get(world: &World, url: &str, token: Option<&str>) -> Result<(u16, String), RehearsalError> {
    let mut request = Request::builder().method(Method::GET);
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    let answer = world.ask(url, request, Bytes::new())?;
    let body = String::from_utf8_lossy(answer.body()).into_owned();
    Ok((answer.status().as_u16(), body))
}
