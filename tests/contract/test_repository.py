"""The repository itself: pinned requirements, and documents with valid commands and links."""

import json
import re
from pathlib import Path

import pytest

from tests.contract.declared import ROOT

RUNTIME = ROOT / "layers" / "dependencies" / "requirements.txt"
LOCKS = [
    RUNTIME,
    *(
        ROOT / f"requirements-{name}.txt"
        for name in ("dev", "ministack", "sam", "security", "fuzz", "node", "bench")
    ),
]
CLIENTS = ROOT / "tests" / "e2e" / "kii_js" / "package-lock.json"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_requirements_are_pinned_with_hashes_and_without_hosts(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text)
    unpinned = [
        one for one in entries if not one.startswith("#") and ("==" not in one or "--hash=sha256:" not in one)
    ]

    assert unpinned == []
    assert "://" not in text
    assert re.search(r"^--", text, re.MULTILINE) is None


def test_kii_clients_are_pinned_with_hashes_and_without_hosts() -> None:
    packages = json.loads(CLIENTS.read_text(encoding="utf-8"))["packages"]
    asked = packages.pop("")["dependencies"]

    assert [name for name, one in packages.items() if not one["integrity"].startswith("sha512-")] == []
    assert [name for name, one in packages.items() if "resolved" in one] == []
    assert [name for name, version in asked.items() if not re.search(r"(^|@)[0-9.]+$", version)] == []


def test_tests_run_with_what_the_functions_run_with() -> None:
    assert pins(RUNTIME).items() <= pins(ROOT / "requirements-dev.txt").items()


def test_a_finding_that_is_skipped_has_its_reason_on_the_line() -> None:
    checks = re.findall(r"^  - (CKV_\w+)(.*)$", (ROOT / ".checkov.yaml").read_text(), re.MULTILINE)
    rules = re.findall(r'^  "(B\d+)",(.*)$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    folders = ("functions", "layers", "operate", "local", "measure")
    code = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    marks = [
        mark
        for path in code
        for mark in re.findall(r"# nosec(?: (B\d+))?(.*)$", path.read_text(), re.MULTILINE)
    ]

    assert checks != []
    assert [
        one for one, why in [*checks, *rules, *marks] if not one or not re.match(r"\s+# \w.{3,}", why)
    ] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_names_only_commands_and_files_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)) - targets == set()
    links = re.findall(r"\]\((?!http|#)([^)#]+)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9][\w.-]*)==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE))
