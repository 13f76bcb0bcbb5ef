"""Tables, queues and a bucket of their own for the sample events, in an AWS account of their own.

MiniStack takes an access key of twelve digits for an account. The local stack's runner does not look into
this one: the effects of an event stay, to be looked at.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3

from fanfare.runtime import clients
from local import sample_app
from local.aws.ministack import REGION
from local.fakes import credentials
from local.guard import CONTAINERS_HOST
from local.resources import create_resources
from operate.template import Template

STACK = "fanfare-samples"
ACCOUNT = "123456789012"
"""The one that the events' ARNs name."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The sample app's, of the fake networks: {network: text of the parameter}."""

    texts: Mapping[str, str]

    @staticmethod
    def for_containers(state: Path, fcm_port: int) -> "Credentials":
        files = credentials.Files(state)
        account = json.loads(files.service_account.read_text(encoding="utf-8"))
        account["token_uri"] = f"https://{CONTAINERS_HOST}:{fcm_port}/token"
        apns = {
            "key_id": credentials.APNS_KEY_ID,
            "team_id": credentials.APNS_TEAM_ID,
            "topics": [credentials.APNS_TOPIC],
            "private_key": files.apns_key.read_text(encoding="utf-8"),
        }
        return Credentials({"fcm": json.dumps(account), "apns": json.dumps(apns)})

    @staticmethod
    def parameter(network: str) -> str:
        return f"/{STACK}/apps/{sample_app.APP}/{network}"


def make(endpoint: str, template: Template, given: Credentials) -> Mapping[str, str]:
    """All resources anew, with the rows of the sample app: {logical ID: name or URL}.

    Clients made from now on are of this account.
    """
    os.environ["AWS_ACCESS_KEY_ID"] = ACCOUNT
    clients.forget()
    session = boto3.Session(ACCOUNT, "test", region_name=REGION)
    _remove(session, endpoint)
    resources = create_resources(session, replace(template, buckets={}), endpoint_url=endpoint)
    s3 = session.client("s3", endpoint_url=endpoint)
    for bucket in template.buckets:
        # All accounts share the names of buckets. One's own may be made again.
        resources[bucket] = f"samples-{bucket}".lower()
        s3.create_bucket(Bucket=resources[bucket])
    _keep_what_has_expired(session, endpoint, template, resources)
    ssm = session.client("ssm", endpoint_url=endpoint)
    secrets = {given.parameter(network): text for network, text in given.texts.items()}
    secrets[f"/{STACK}/signing-keys"] = json.dumps(sample_app.SIGNING_KEYS)
    for name, text in secrets.items():
        ssm.put_parameter(Name=name, Value=text, Type="SecureString", Overwrite=True)
    parameters: dict[str, Any] = {f"{network}_parameter": given.parameter(network) for network in given.texts}
    sample_app.seed(template, resources, **parameters)
    return resources


def _keep_what_has_expired(
    session: boto3.Session, endpoint: str, template: Template, resources: Mapping[str, str]
) -> None:
    """The samples are of a day that is over: the emulator would delete some of them within a minute."""
    dynamodb = session.client("dynamodb", endpoint_url=endpoint)
    for table in template.tables.values():
        if table.ttl_attribute:
            dynamodb.update_time_to_live(
                TableName=resources[table.logical_id],
                TimeToLiveSpecification={"Enabled": False, "AttributeName": table.ttl_attribute},
            )


def _remove(session: boto3.Session, endpoint: str) -> None:
    """Delete the rows of the last time. The bucket stays: nothing of the samples refers to an old file."""
    dynamodb = session.client("dynamodb", endpoint_url=endpoint)
    for name in dynamodb.list_tables()["TableNames"]:
        dynamodb.delete_table(TableName=name)
    sqs = session.client("sqs", endpoint_url=endpoint)
    for url in sqs.list_queues().get("QueueUrls", []):
        sqs.delete_queue(QueueUrl=url)
