"""check_pipeline in Python: the same calls as the Rust handler makes while an execution runs, for the benchmark of cold starts.

It is written as the pipeline's predecessor was: boto3, clients made when the module is loaded.
"""

import os

import boto3

records = boto3.client("dynamodb")
pipelines = boto3.client("codepipeline")


def check_pipeline(event, context):
    target, run = event["target"], event["run"]
    record = records.get_item(
        TableName=os.environ["TABLE"],
        Key={"repository": {"S": target["repository"]}, "number": {"N": str(target["number"])}},
        ConsistentRead=True,
    )["Item"]
    if int(record["generation"]["N"]) != target["generation"]:
        raise RuntimeError("superseded")
    execution = pipelines.get_pipeline_execution(
        pipelineName=run["pipeline"], pipelineExecutionId=run["execution_id"]
    )["pipelineExecution"]
    actions = pipelines.list_action_executions(
        pipelineName=run["pipeline"], filter={"pipelineExecutionId": run["execution_id"]}
    )["actionExecutionDetails"]
    stage = actions[0]["stageName"] if actions else ""
    return {"state": execution["status"], "summary": stage, "url": ""}
