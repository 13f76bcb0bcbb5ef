"""Environment and parameters of containers."""

import yaml

from local.ports import Ports
from local.sam import containers
from operate.template import load
from tests.contract.declared import ROOT

BUILT = """
Parameters:
  Architecture: { Type: String, Default: arm64 }
Globals:
  Function:
    Environment:
      Variables:
        POWERTOOLS_LOG_LEVEL: { Ref: LogLevel }
Resources:
  TopicsFunction:
    Properties: { CodeUri: TopicsFunction }
"""


def test_the_built_template_declares_the_endpoint_and_the_processor_and_stays_as_it_is_otherwise() -> None:
    told = yaml.safe_load(containers.declaring(BUILT, "x86_64"))

    variables = told["Globals"]["Function"]["Environment"]["Variables"]
    assert variables.pop("AWS_ENDPOINT_URL") != ""  # an empty one would send clients to AWS itself
    assert told["Parameters"]["Architecture"].pop("Default") == "x86_64"
    before = yaml.safe_load(BUILT)
    del before["Parameters"]["Architecture"]["Default"]
    assert told == before


def test_the_processor_has_the_name_that_aws_gives_it() -> None:
    told = yaml.safe_load(containers.declaring(BUILT, "aarch64"))

    assert told["Parameters"]["Architecture"]["Default"] == "arm64"


def test_every_variable_of_every_function_has_a_value_that_a_container_can_use() -> None:
    ports = Ports(4300)
    template = load(ROOT / "template.yaml", parameters=containers.parameters(ports), stack_name="s")
    names = [*template.tables, *template.buckets]
    resources = {name: f"the {name}" for name in names} | {
        name: f"http://127.0.0.1:4303/000000000000/{name}" for name in template.queues
    }

    told = containers.variables(template, resources, ports)

    assert told.keys() == {one.logical_id for one in template.functions.values()}
    assert {one["AWS_ENDPOINT_URL"] for one in told.values()} == {"http://host.docker.internal:4302"}
    assert told["TopicsFunction"]["TOPICS_TABLE"] == "the TopicsTable"
    assert told["TopicsFunction"]["SIGNING_KEYS_PARAMETER"] == "/s/signing-keys"
    assert told["DeliverFunction"]["FCM_ENDPOINT"] == "https://host.docker.internal:4304"
    assert told["DeliverFunction"]["NETWORK_CA_FILE"] == "/var/task/ca.pem"
