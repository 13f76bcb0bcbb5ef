"""The choice of the Node that runs the journeys."""

from pathlib import Path

import pytest

from tests.e2e.node import on_path


@pytest.mark.parametrize(
    ("programs", "taken"),
    [
        ({"node": "v22.1.0", "npm": "10.0.0"}, True),
        ({"node": "v18.0.0", "npm": "9.0.0"}, True),
        ({"node": "v16.20.0", "npm": "8.0.0"}, False),
        ({"node": "v22.1.0"}, False),
        ({"npm": "10.0.0"}, False),
        ({"node": "", "npm": "10.0.0"}, False),
        ({}, False),
    ],
)
def test_the_paths_node_is_taken_if_it_is_new_and_has_npm(
    tmp_path: Path, programs: dict[str, str], taken: bool
) -> None:
    for name, version in programs.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)

    found = on_path(str(tmp_path))

    assert (found is not None) is taken
