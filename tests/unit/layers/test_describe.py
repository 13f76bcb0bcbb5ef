"""The parts of botocore's service descriptions that remain in the layer."""

import gzip
import json
import os
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.loaders import Loader
from botocore.session import Session

from tests.contract.declared import ROOT

main: Callable[[Path], None] = runpy.run_path(str(ROOT / "layers" / "dependencies" / "describe.py"))["main"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "queue" / "2026-01-01"
    folder.mkdir(parents=True)
    member = {"documentation": {"shape": "Text", "documentation": "<p>Long.</p>"}}
    model = {"documentation": "<p>Longer.</p>", "shapes": {"Said": {"type": "structure", "members": member}}}
    (folder / "service-2.json.gz").write_bytes(gzip.compress(json.dumps(model).encode()))
    services: dict[str, Any] = {"queue": {"endpoints": {"us-east-1": {}}}, "other": {"endpoints": {}}}
    everywhere = {"partitions": [{"partition": "aws", "services": services}]}
    (tmp_path / "data" / "endpoints.json").write_text(json.dumps(everywhere))
    return tmp_path / "data"


def test_documentation_goes_and_a_member_of_that_name_stays(data: Path) -> None:
    main(data)

    [file] = (data / "queue" / "2026-01-01").iterdir()
    assert file.name == "service-2.json"
    members = {"documentation": {"shape": "Text"}}
    assert json.loads(file.read_text()) == {"shapes": {"Said": {"type": "structure", "members": members}}}


def test_endpoints_of_services_that_are_not_there_go(data: Path) -> None:
    main(data)

    [partition] = json.loads((data / "endpoints.json").read_text())["partitions"]
    assert list(partition["services"]) == ["queue"]


def test_what_is_linked_to_other_environments_stays_as_it_is(data: Path, tmp_path: Path) -> None:
    linked = tmp_path / "of-another-environment.json"
    os.link(data / "endpoints.json", linked)

    main(data)

    assert "other" in linked.read_text()


@pytest.mark.parametrize("service", ["dynamodb", "sqs", "ssm", "s3"])
def test_a_client_made_of_them_is_the_same_client(service: str, tmp_path: Path) -> None:
    of_botocore = Path(botocore.__file__).parent / "data"
    here = tmp_path / "data"
    here.mkdir()
    for name in ("endpoints.json", "partitions.json", "_retry.json", "sdk-default-configuration.json"):
        (here / name).write_bytes((of_botocore / name).read_bytes())
    [version] = [one for one in (of_botocore / service).iterdir() if one.name != "2011-12-05"]
    (here / service / version.name).mkdir(parents=True)
    for file in version.iterdir():
        (here / service / version.name / file.name).write_bytes(file.read_bytes())
    main(here)

    ours, theirs = (
        _client(service, Loader([str(one)], include_default_search_paths=False))
        for one in (here, of_botocore)
    )

    assert ours.meta.endpoint_url == theirs.meta.endpoint_url
    assert ours.meta.method_to_api_mapping == theirs.meta.method_to_api_mapping
    for operation in theirs.meta.service_model.operation_names:
        mine, other = (one.meta.service_model.operation_model(operation) for one in (ours, theirs))
        assert _shape(mine.input_shape) == _shape(other.input_shape)
        assert _shape(mine.output_shape) == _shape(other.output_shape)


def _client(service: str, loader: Loader) -> Any:
    session = Session()
    session.register_component("data_loader", loader)
    return session.create_client(service, "eu-central-1", aws_access_key_id="x", aws_secret_access_key="y")


def _shape(shape: Any) -> Any:
    return None if shape is None else (shape.name, shape.type_name, sorted(shape.members), shape.metadata)
