"""Makes a role with one policy and assumes it; prints its credentials. What to make is JSON on standard input."""

import json
import sys

from botocore.session import Session

asked = json.load(sys.stdin)


def client(service):
    return Session().create_client(
        service,
        region_name=asked["region"],
        endpoint_url=asked["endpoint"],
        aws_access_key_id=asked["account"],
        aws_secret_access_key="test",
    )


# The role's own template lets Lambda assume it, which nobody can play: here its account may.
trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{asked['account']}:root"}, "Action": "sts:AssumeRole"}
iam = client("iam")
role = iam.create_role(
    RoleName=asked["role"], AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
)["Role"]
iam.put_role_policy(RoleName=asked["role"], PolicyName="grants", PolicyDocument=json.dumps(asked["policy"]))
session = client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
print(json.dumps({name: session[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")}))
