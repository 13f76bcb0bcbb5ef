"""The sides that contract tests compare: the template, as the local stack reads it and as it stands."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from operate.template.intrinsics import Evaluator, read_yaml
from operate.template.model import Template
from operate.template.read import load
from tests.contract.declared import ROOT, Roles


@pytest.fixture(scope="session")
def template() -> Template:
    return load(ROOT / "template.yaml")


@pytest.fixture(scope="session")
def document() -> Mapping[str, Any]:
    return read_yaml(ROOT / "template.yaml")


@pytest.fixture(scope="session")
def roles(document: Mapping[str, Any]) -> Roles:
    names = ("AccountId", "Partition", "Region", "StackName")
    return Roles(document, Evaluator(document, {}, {f"AWS::{name}": f"<{name}>" for name in names}))


@pytest.fixture(scope="session")
def sources() -> list[Path]:
    """Every module that goes to AWS."""
    return sorted([*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers" / "fanfare").rglob("*.py")])
