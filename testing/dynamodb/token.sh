#!/usr/bin/env bash
# Signs a test user in to an environment's user pool and prints the id token that its API takes:
#
#   curl --header "Authorization: $(testing/dynamodb/token.sh pr-17)" "$URL/items"
#
# The user is made if it is not there, with a new password on every run unless $TEST_USER_PASSWORD is set. Needs: cargo, jq, and
# the AWS CLI with credentials that may administer the pool. The password stands in no argument, so no process list shows it;
# it lies for a moment in a folder that only the caller can read.
set -euo pipefail

if [[ $# -lt 1 || $# -gt 2 ]]; then
    echo "usage: token.sh ENVIRONMENT [ADDRESS], such as token.sh pr-17 ada@example.com" >&2
    exit 2
fi
environment=$1
export TEST_USER=${2:-test-user@example.com}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# The stack is the one whose emitted template names the client of the users; its name is in the manifest beside it.
emitted=$(mktemp -d)
trap 'rm -rf "$emitted"' EXIT
if ! (cd "$here/../.." && cargo run --quiet --locked -p synth -- --environment "$environment" --format json --out "$emitted") \
    >"$emitted/log" 2>&1; then
    cat "$emitted/log" >&2
    exit 2
fi
stack=''
while IFS=$'\t' read -r name path; do
    if jq --exit-status '.Outputs.UserPoolClientId' "$emitted/$environment/$path" >/dev/null; then
        stack=$name
    fi
done < <(jq --raw-output '.stacks[] | [.name, .template.path] | @tsv' "$emitted/$environment/manifest.json")
if [[ -z $stack ]]; then
    echo "token.sh: no stack of $environment has the output UserPoolClientId" >&2
    exit 1
fi

outputs=$(aws cloudformation describe-stacks --stack-name "$stack" --output json |
    jq '.Stacks[0].Outputs | map({(.OutputKey): .OutputValue}) | add')
output() {
    jq --exit-status --raw-output --arg key "$1" '.[$key]' <<<"$outputs"
}
TEST_USER_POOL=$(output UserPoolId)
TEST_USER_CLIENT=$(output UserPoolClientId)
# Lower case and digits from the hash of random bytes, upper case and a mark from the prefix: what any policy asks for.
TEST_USER_PASSWORD=${TEST_USER_PASSWORD:-Test-$(head -c 32 /dev/urandom | sha256sum | cut -c 1-32)a1}
export TEST_USER_POOL TEST_USER_CLIENT TEST_USER_PASSWORD

if ! aws cognito-idp admin-get-user --user-pool-id "$TEST_USER_POOL" --username "$TEST_USER" >/dev/null 2>&1; then
    aws cognito-idp admin-create-user --user-pool-id "$TEST_USER_POOL" --username "$TEST_USER" \
        --message-action SUPPRESS --output json >/dev/null
fi
# Files, since the AWS CLI reads such an input twice.
jq --null-input '{UserPoolId: env.TEST_USER_POOL, Username: env.TEST_USER, Password: env.TEST_USER_PASSWORD, Permanent: true}' \
    >"$emitted/password.json"
aws cognito-idp admin-set-user-password --cli-input-json "file://$emitted/password.json" >/dev/null
jq --null-input '{AuthFlow: "USER_PASSWORD_AUTH", ClientId: env.TEST_USER_CLIENT,
    AuthParameters: {USERNAME: env.TEST_USER, PASSWORD: env.TEST_USER_PASSWORD}}' >"$emitted/sign-in.json"
aws cognito-idp initiate-auth --output json --cli-input-json "file://$emitted/sign-in.json" |
    jq --exit-status --raw-output .AuthenticationResult.IdToken
