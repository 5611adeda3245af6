#!/usr/bin/env bash
# Creates the application's table in a local DynamoDB and loads the test data into it, anew on every run.
#
# The table is the emitted one: its keys and indexes come from the template of the environment `stage`, so there is no second
# copy of the schema. The tests reach it with the credentials below; they belong to nobody and open nothing in AWS.
#
# Needs: cargo, the AWS CLI, jq, and a DynamoDB at $DYNAMODB_ENDPOINT (http://127.0.0.1:8000 unless it is set).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
endpoint=${DYNAMODB_ENDPOINT:-http://127.0.0.1:8000}

# The table is removed first, so an address of AWS must never get here.
case $endpoint in
http://127.0.0.1:* | http://localhost:*) ;;
*)
    echo "load.sh: $endpoint is not local, allowed are http://127.0.0.1:PORT and http://localhost:PORT" >&2
    exit 2
    ;;
esac

# A build's own credentials must not be sent to a local process.
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=local AWS_DEFAULT_REGION=local
export AWS_PAGER='' AWS_MAX_ATTEMPTS=3

dynamodb() {
    aws dynamodb --endpoint-url "$endpoint" --output json "$@"
}

# The part of the table's properties that CreateTable takes under the same names.
table=$(
    cd "$here/../.."
    cargo run --quiet --locked -p synth -- --environment stage --stdout app --format json | jq --exit-status '
        [.Resources[] | select(.Type == "AWS::DynamoDB::Table").Properties]
        | if length == 1 then .[0] else error("the application has \(length) tables, expected 1") end
        | {TableName, KeySchema, AttributeDefinitions, BillingMode, GlobalSecondaryIndexes, LocalSecondaryIndexes}
        | with_entries(select(.value != null))'
)
name=$(jq --raw-output .TableName <<<"$table")

if dynamodb describe-table --table-name "$name" >/dev/null 2>&1; then
    dynamodb delete-table --table-name "$name" >/dev/null
    dynamodb wait table-not-exists --table-name "$name"
fi
dynamodb create-table --cli-input-json "$table" >/dev/null
dynamodb wait table-exists --table-name "$name"

# A batch takes 25 items; the data has fewer, and a local DynamoDB has no reason to leave one out.
left=$(
    NAME=$name jq '{(env.NAME): .items}' "$here/items.json" |
        dynamodb batch-write-item --request-items file:///dev/stdin |
        jq '[.UnprocessedItems[]?[]] | length'
)
if [[ ${left:-0} -ne 0 ]]; then
    echo "load.sh: $left items were not written" >&2
    exit 1
fi

count=$(dynamodb scan --table-name "$name" --select COUNT | jq .Count)
echo "load.sh: $name at $endpoint holds $count items"
