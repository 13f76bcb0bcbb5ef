"""Plain English: few docstrings open without a subject, and few sentences depend on the words of RIDDLES.

Two figures for each room: the share of docstrings that open with a word of OPENERS, and the number of RIDDLES
per 1,000 words of docstrings and comments. Docstrings are those of modules, classes and functions, and the
texts under an attribute or a constant.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.contract.declared import ROOT

OPENERS = frozenset(
    ("what", "who", "whom", "whose", "which", "whether", "whatever", "of", "so", "how", "why", "where")
)
RIDDLES = frozenset(("what", "who", "whose", "whatever"))

OPENERS_AT_MOST = 0.03
"""Share of a room's docstrings."""

RIDDLES_AT_MOST = 3.0
"""Per 1,000 words of a room's docstrings and comments."""

PACKAGE = ROOT / "layers" / "fanfare" / "fanfare"
ROOMS = {
    **{f"fanfare/{path.parent.name}": path.parent for path in sorted(PACKAGE.glob("*/__init__.py"))},
    **{name: ROOT / name for name in ("functions", "layers/dependencies", "local", "operate", "measure")},
    **{f"tests/{name}": ROOT / "tests" / name for name in ("contract", "e2e", "fuzz", "integration", "unit")},
    "tests": ROOT / "tests",
    "tests/integration/pipeline": ROOT / "tests" / "integration" / "pipeline",
    "tests/unit/pipeline": ROOT / "tests" / "unit" / "pipeline",
}
"""Folders with figures of their own; a file counts for the innermost."""

WORST = 40
"""Places that a failure shows."""


@dataclass(slots=True)
class Prose:
    """The prose of a room: its docstrings and its comments, each with `path:line`."""

    docstrings: list[tuple[str, str]] = field(default_factory=list)
    comments: list[tuple[str, str]] = field(default_factory=list)

    @property
    def opening_badly(self) -> list[tuple[str, str]]:
        return [
            (place, text) for place, text in self.docstrings if words(text)[:1] and words(text)[0] in OPENERS
        ]

    @property
    def openers(self) -> float:
        """The share of docstrings that open with one of OPENERS."""
        return len(self.opening_badly) / max(1, len(self.docstrings))

    @property
    def riddles(self) -> float:
        """Words of RIDDLES per 1,000 words."""
        every = [word for _, text in self.docstrings + self.comments for word in words(text)]
        return 1000 * sum(word in RIDDLES for word in every) / max(1, len(every))

    @property
    def worst(self) -> list[str]:
        """The texts with the most riddles first, then those that open badly."""
        ranked = sorted(
            self.docstrings + self.comments, key=lambda one: -sum(word in RIDDLES for word in words(one[1]))
        )
        riddled = [one for one in ranked if RIDDLES.intersection(words(one[1]))]
        return [f"{place}: {text}" for place, text in [*riddled[:WORST], *self.opening_badly[:WORST]]]


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_prose_is_plain(room: str) -> None:
    prose = prose_of(sources(room))
    figures = f"{prose.openers:.1%} openers, {prose.riddles:.1f} riddles per 1,000 words"
    told = "\n".join([figures, *prose.worst])

    assert prose.docstrings
    assert prose.openers <= OPENERS_AT_MOST, told
    assert prose.riddles <= RIDDLES_AT_MOST, told


SAMPLE = '''
"""What a module is for."""

LIMIT = 3
"""Of these, so many."""


class One:
    """The one."""

    name: str
    """Who it is."""

    def go(self) -> None:
        """Go.

        What comes of it is whoever's.
        """
        text = """What is no docstring."""
        print(text)  # whose it is
'''


def test_docstrings_of_attributes_and_constants_count(tmp_path: Path) -> None:
    prose = prose_of([written(tmp_path, SAMPLE)])

    assert [text.split("\n")[0] for _, text in prose.docstrings] == [
        "What a module is for.",
        "Of these, so many.",
        "The one.",
        "Who it is.",
        "Go.",
    ]
    assert [text for _, text in prose.comments] == ["whose it is"]


def test_openers_are_a_share_of_docstrings_and_riddles_of_all_words(tmp_path: Path) -> None:
    prose = prose_of([written(tmp_path, SAMPLE)])

    assert prose.openers == 3 / 5
    assert prose.riddles == 1000 * 4 / 24


@pytest.mark.parametrize("text", ["What is so.", "`whose` is it", "Whether it is.", "How many.", "Of these."])
def test_an_opener_is_found_in_any_case_and_in_backticks(tmp_path: Path, text: str) -> None:
    assert prose_of([written(tmp_path, f'"""{text}"""\n')]).openers == 1


def test_whatsoever_and_whole_are_other_words(tmp_path: Path) -> None:
    assert prose_of([written(tmp_path, '"""Whole, offered, somehow and whatsoever."""\n')]).riddles == 0


def test_marks_for_linters_are_no_prose(tmp_path: Path) -> None:
    source = (
        '"""One."""\nimport os  # noqa: F401\nx = 1  # type: ignore[what]\ny = 2  # nosec B101 - what it is\n'
    )

    assert prose_of([written(tmp_path, source)]).comments == [("sample.py:4", "what it is")]


def sources(room: str) -> list[Path]:
    """Return the modules of a room, without those of rooms within it."""
    inner = [path for path in ROOMS.values() if path != ROOMS[room] and path.is_relative_to(ROOMS[room])]
    modules = sorted(ROOMS[room].rglob("*.py"))
    return [path for path in modules if not any(path.is_relative_to(other) for other in inner)]


def written(folder: Path, source: str) -> Path:
    path = folder / "sample.py"
    path.write_text(source, encoding="utf-8")
    return path


def prose_of(paths: list[Path]) -> Prose:
    prose = Prose()
    for path in paths:
        source = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
        prose.docstrings += [(f"{name}:{line}", text) for line, text in docstrings(source)]
        prose.comments += [(f"{name}:{line}", text) for line, text in comments(source)]
    return prose


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Each string that stands as a statement, with its line: docstrings, and texts under an assignment."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, text.strip()
            case _:
                pass


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Each comment with its line, without the marks that linters read."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            text = re.sub(r"^#!?\s*((noqa|type|nosec|pragma|fmt|ruff)\b:?\s*\S*\s*-?\s*)?", "", token.string)
            if text:
                yield token.start[0], text


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower())
