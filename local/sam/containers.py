"""The orders of the functions' containers: a template that lets them be told, and their variables."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from local.guard import CONTAINERS_HOST
from local.ports import Ports
from operate.template import Template

CA_FILE = "/var/task/ca.pem"
"""The fake networks' authority; it lies in the folder of deliver's code, the only one that is mounted."""

_ENDPOINT = "AWS_ENDPOINT_URL"


def parameters(ports: Ports) -> dict[str, str]:
    """The template's parameters for functions in containers."""
    return {
        "FcmEndpoint": f"https://{CONTAINERS_HOST}:{ports.fcm}",
        "ApnsProductionEndpoint": f"https://{CONTAINERS_HOST}:{ports.apns_production}",
        "ApnsSandboxEndpoint": f"https://{CONTAINERS_HOST}:{ports.apns_sandbox}",
        "NetworkCaFile": CA_FILE,
    }


def variables(template: Template, resources: Mapping[str, str], ports: Ports) -> dict[str, dict[str, str]]:
    """The input of `sam local --env-vars`: logical ID of the function -> its variables."""
    endpoint = {_ENDPOINT: f"http://{CONTAINERS_HOST}:{ports.aws}"}
    return {one.logical_id: one.variables(resources) | endpoint for one in template.functions.values()}


def declaring(built_template: str, machine: str) -> str:
    """The template that `sam build` wrote, with the variable declared that tells AWS's clients where to go.

    `--env-vars` sets no variable that the template does not declare, and template.yaml must not declare this
    one. `machine` is the processor that was built for, as the system names it.
    """
    document: dict[str, Any] = yaml.safe_load(built_template)
    document["Globals"]["Function"]["Environment"]["Variables"][_ENDPOINT] = "set by --env-vars"
    document["Parameters"]["Architecture"]["Default"] = "arm64" if machine == "aarch64" else machine
    return yaml.safe_dump(document, sort_keys=False)


def write(path: Path, told: Mapping[str, Mapping[str, str]]) -> None:
    path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
