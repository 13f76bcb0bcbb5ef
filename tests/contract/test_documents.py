"""Names in prose exist: documents, files, folders, sections and tests, named in documents and in code."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.contract.declared import ROOT

DECISIONS = ROOT / "docs" / "decisions"
INDEX = DECISIONS / "README.md"

FILE = re.compile(
    r"(?<![\w./*{}<>$-])[A-Za-z0-9_.-]*[A-Za-z0-9_](?:/[A-Za-z0-9_.-]+)*\.(?:md|py)\b(?![\w/(*-])"
)
"""A document or a module; a text with a wildcard or a variable is not a name."""
DOCUMENT = re.compile(r"(?<![\w./-])docs/[\w./-]*\w")
FOLDER = re.compile(r"`([a-z_0-9]+(?:/[a-z_0-9]+)*/)`")
TEST = re.compile(r"`?([\w/]*\w\.py)?::(test_\w+)")
LINK = re.compile(r"\]\((?!https?:)([^)\s]*)\)")
GONE = re.compile(r"reference table|table E\b", re.IGNORECASE)

OTHERS = {
    "released.py": "made by the rehearsal of releases",
    "logs": "in the state of a local stack",
    "fanfare/dispatch": "in the bucket of the last resort",
}
"""Names that mean nothing in the repository, with the reason."""


@cache
def files() -> tuple[Path, ...]:
    """Everything in the repository, as it would be cloned."""
    tops = [path for path in ROOT.iterdir() if not path.name.startswith(".") or path.name == ".ci"]
    found = [one for top in tops for one in (top, *top.rglob("*"))]
    return tuple(one for one in found if not {"__pycache__", "node_modules"} & set(one.parts))


@cache
def endings() -> frozenset[str]:
    """Each path in the repository, and each end of it: a text names a file by as much as tells it apart."""
    return frozenset(
        "/".join(parts[start:])
        for path in files()
        for parts in [path.relative_to(ROOT).parts]
        for start in range(len(parts))
    )


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose() -> list[Path]:
    return [path for path in files() if path.suffix == ".md"]


def code() -> list[Path]:
    named = [path for path in files() if path.suffix in {".py", ".yaml", ".toml", ".c", ".h", ".in", ".js"}]
    return [*named, *(path for path in files() if path.name in {"Makefile", "run"})]


def missing_files(path: Path, *names: re.Pattern[str]) -> Iterator[str]:
    for found in {one for name in names for one in name.findall(text(path))}:
        beside = (path.parent / found).resolve()
        if found.removeprefix("./") not in endings() and not beside.exists() and found not in OTHERS:
            yield found


@pytest.mark.parametrize("path", prose(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_names_files_that_are_there(path: Path) -> None:
    assert sorted(missing_files(path, FILE, DOCUMENT)) == []


@pytest.mark.parametrize("path", prose(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_names_folders_that_are_there(path: Path) -> None:
    named = {one.rstrip("/") for one in FOLDER.findall(text(path))}

    assert sorted(named - endings() - OTHERS.keys()) == []


@pytest.mark.parametrize("path", prose(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_link_leads_to_a_section_that_is_there(path: Path) -> None:
    lost = []
    for link in LINK.findall(text(path)):
        name, _, section = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (section and section not in sections(target)):
            lost.append(link)

    assert lost == []


@pytest.mark.parametrize("path", prose(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_names_tests_that_are_there(path: Path) -> None:
    """`file.py::test`, and `::test` for one more of the same file."""
    lost, last = [], ""
    for found in TEST.finditer(text(path)):
        last = found[1] or last
        candidates = [one for one in files() if one.as_posix().endswith(f"/{last}")]
        if not any(f"def {found[2]}(" in text(one) for one in candidates):
            lost.append(f"{last}::{found[2]}")

    assert lost == []


def test_code_names_files_that_are_there() -> None:
    """In docstrings, comments and texts. Tests make up modules: of theirs only documents are asked for."""
    lost = {}
    for path in code():
        names = (DOCUMENT,) if path.is_relative_to(ROOT / "tests") else (FILE, DOCUMENT)
        if path != Path(__file__) and (found := sorted(missing_files(path, *names))):
            lost[path.relative_to(ROOT).as_posix()] = found

    assert lost == {}


def test_nothing_points_to_what_is_outside_of_the_repository() -> None:
    mine = Path(__file__)

    assert [path for path in (*prose(), *code()) if path != mine and GONE.search(text(path))] == []


def test_what_is_not_there_is_found() -> None:
    lost = "See docs/none.md, pipeline/none.py, `NONE.md` and tests/none/test_none.py."

    assert sorted({*FILE.findall(lost), *DOCUMENT.findall(lost)} - endings()) == [
        "NONE.md",
        "docs/none.md",
        "pipeline/none.py",
        "tests/none/test_none.py",
    ]


def test_the_index_of_decisions_has_each_with_its_status() -> None:
    indexed = re.findall(
        r"^\| (\S+) \| \[(.+)\]\((\S+)\.md#(\S+)\) \| .+ \| (.+) \|$", text(INDEX), re.MULTILINE
    )
    written = []
    for path in sorted(DECISIONS.glob("*.md")):
        for title, body in (
            re.findall(r"^## (.+)\n\n(.+)$", text(path), re.MULTILINE) if path != INDEX else []
        ):
            date, status = re.findall(r"\*(\S+)\. Status: (.+?)\.\*", body)[0]
            written.append((date, title, path.stem, slug(title), whole(status, path.name)))

    assert sorted(indexed) == sorted(written)


def whole(status: str, name: str) -> str:
    """A status with the links as they are in the index."""
    return re.sub(r"\]\(#", f"]({name}#", status)


@cache
def sections(path: Path) -> frozenset[str]:
    return frozenset(slug(one) for one in re.findall(r"^#+ (.+)$", text(path), re.MULTILINE))


def slug(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    shown = re.sub(r"\[(.+?)\]\(.+?\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", shown).strip().replace(" ", "-")
