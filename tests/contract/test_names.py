"""One word, one meaning: module names are unique in their folder, public class names everywhere."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.contract.declared import FUNCTIONS, ROOT

FOLDERS = {
    "fanfare": ROOT / "layers" / "fanfare" / "fanfare",
    **{name: ROOT / name for name in ("functions", "local", "operate", "measure")},
}

NOT_YET = {"fanfare/pipeline", "local", "operate", "measure"}
"""Rooms in which names may still stand twice."""

SUBJECTS = {
    "accounts",
    "bodies",
    "buckets",
    "groups",
    "installations",
    "limits",
    "messages",
    "objects",
    "subscriptions",
    "topics",
}
"""Subjects of the API: each has handlers in api/, routes in api/routes/ and rows in store/."""

NETWORKS = {"apns", "fcm"}
"""Each network has its requests in networks/ and the meaning of its answers in domain/outcome/."""

MAY_PAIR = {
    **{name: {"fanfare/api", "fanfare/store"} for name in SUBJECTS},
    **{name: {"fanfare/networks", "fanfare/domain"} for name in NETWORKS},
    "app": {f"functions/{name}" for name in FUNCTIONS},
}
"""Module names that may stand several times -> the rooms in which they may."""

type Place = tuple[str, str]
"""A name, and the path at which it stands, from the folder's name on."""


def test_no_module_name_stands_for_two_things() -> None:
    for folder in FOLDERS:
        assert twice(modules(folder)) == []


def test_no_public_class_name_stands_for_two_things() -> None:
    assert twice([one for folder in FOLDERS for one in classes(folder)]) == []


def test_a_name_that_stands_twice_is_found() -> None:
    places = [("names", "fanfare/api/names.py"), ("names", "fanfare/store/names.py")]

    assert twice(places) == ["names: fanfare/api/names.py, fanfare/store/names.py"]


def test_the_rooms_of_a_subject_may_share_its_name() -> None:
    assert twice([("topics", "fanfare/api/topics.py"), ("topics", "fanfare/store/topics.py")]) == []
    assert twice([("topics", "fanfare/api/topics.py"), ("topics", "fanfare/domain/topics.py")]) != []


def modules(folder: str) -> Iterator[Place]:
    for path, place in sources(folder):
        if not path.stem.startswith("__"):
            yield path.stem, place


def classes(folder: str) -> Iterator[Place]:
    for path, place in sources(folder):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield node.name, place


def sources(folder: str) -> Iterator[tuple[Path, str]]:
    for path in sorted(FOLDERS[folder].rglob("*.py")):
        yield path, f"{folder}/{path.relative_to(FOLDERS[folder]).as_posix()}"


def twice(places: Iterable[Place]) -> list[str]:
    """The names that stand at several places without leave, each with its places."""
    found = defaultdict[str, list[str]](list)
    for name, place in places:
        if room(place) not in NOT_YET and place.split("/")[0] not in NOT_YET:
            found[name].append(place)
    return [
        f"{name}: {', '.join(where)}"
        for name, where in found.items()
        if len(where) > 1 and not {room(one) for one in where} <= MAY_PAIR.get(name, set())
    ]


def room(place: str) -> str:
    """The folder's name, and the first folder below it."""
    return "/".join(place.split("/")[:2])
