"""`make imports`: measured code, the build it belongs to, and the report."""

import json
from pathlib import Path

import pytest

from measure.imports import __main__ as imports
from measure.imports import start
from measure.imports.built import LAYERS, NotBuilt, build_in
from measure.imports.imports_page import Import, Late, functions_table, json_line, late_table, packages_table
from measure.imports.start import (
    NOTHING,
    ImportFailed,
    ImportSubject,
    beside,
    cpu_ms,
    modules,
    more_ms,
    self_ms,
)

BOTO3 = Import(100.0, 1.0, 300)


@pytest.fixture
def slow(tmp_path: Path) -> ImportSubject:
    """A module that imports another one and works for 50 ms."""
    (tmp_path / "quick.py").write_text("")
    (tmp_path / "slow.py").write_text(
        "import time, quick\nend = time.process_time() + 0.05\nwhile time.process_time() < end: pass\n"
    )
    return ImportSubject("import slow", [tmp_path])


def test_cpu_time_is_that_of_the_import(slow: ImportSubject) -> None:
    [(_, alone, other), (_, took, again)] = beside({"nothing": NOTHING, "slow": slow}, NOTHING, rounds=1)

    assert took - alone > 40
    assert max(alone, other, again) < 40


def test_a_function_is_compared_with_the_boto3_of_its_own_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is slow for a while must not make the code that runs then look slow."""
    subjects = {"early": ImportSubject("early"), "late": ImportSubject("late")}
    of = {"pass": 0.0, "early": 50.0, "late": 60.0, "boto3": 40.0}
    pace = iter([1] * 8 + [3] * 3)

    def cpu_ms(subject: ImportSubject) -> float:
        return of[subject.code] * next(pace)

    monkeypatch.setattr(start, "cpu_ms", cpu_ms)
    monkeypatch.setattr(imports, "modules", lambda subject: 7)

    found, boto3 = imports.measured(subjects, ImportSubject("boto3"), rounds=1)

    assert found["late"] == Import(180.0, 1.5, 7)
    assert boto3.ratio == 1.0
    assert next(pace, None) is None


def test_modules_are_counted_and_each_has_its_own_time(slow: ImportSubject) -> None:
    took = self_ms(slow)

    assert modules(slow) - modules(ImportSubject("import time")) == 2
    assert took["slow"] > 40 > took["quick"]


def test_what_is_imported_later_is_timed_by_itself(slow: ImportSubject) -> None:
    assert more_ms(slow, "quick") < 40 < more_ms(ImportSubject("import time", slow.path), "quick, slow")


def test_nothing_but_the_path_and_the_standard_library_can_be_imported() -> None:
    for failing in (cpu_ms, modules, self_ms):
        with pytest.raises(ImportFailed):
            failing(ImportSubject("import msgspec"))


def test_a_build_is_whole_or_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for layer in LAYERS:
        (tmp_path / layer / "python").mkdir(parents=True)
    (tmp_path / "TopicsFunction").mkdir()

    with pytest.raises(NotBuilt, match=r"TopicsFunction/app\.py is missing"):
        build_in(tmp_path, {"topics": "TopicsFunction"})
    assert imports.main(["--build", str(tmp_path)]) == 1
    assert "`make imports` builds it" in capsys.readouterr().err


def test_a_function_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert imports.main(["--build", str(tmp_path), "--function", "sender"]) == 2
    assert "sender is none of accounts, buckets" in capsys.readouterr().err


def test_the_slowest_function_comes_first_with_what_it_may_take() -> None:
    found = {"fanout": Import(90.0, 0.9, 310), "topics": Import(160.0, 1.6, 500)}

    lines = functions_table(found, BOTO3).splitlines()

    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert cells == [
        ["topics", "160", "1.60", "1.8", "500"],
        ["fanout", "90", "0.90", "", "310"],
        ["boto3", "100", "1.00", "", "300"],
    ]


def test_the_last_line_is_one_json_object() -> None:
    late = [Late("accounts", "argon2", "a password", 12.34)]

    told = json.loads(json_line({"topics": Import(161.23, 1.6123, 500)}, BOTO3, late, {"FanfareLayer": 1.54}))

    assert told == {
        "boto3_ms": 100.0,
        "ms": {"topics": 161.2},
        "ratio": {"topics": 1.61},
        "modules": {"topics": 500},
        "late": [{"function": "accounts", "library": "argon2", "when": "a password", "ms": 12.3}],
        "layers_mb": {"FanfareLayer": 1.5},
    }


def test_what_is_loaded_late_is_told_by_its_packages() -> None:
    told = late_table([Late("deliver", "cryptography.hazmat.primitives, jwt", "a credential", 31.3)])

    assert "deliver, for a credential: cryptography, jwt |      31" in told


def test_packages_are_summed_up_and_ours_are_told_apart() -> None:
    took = {"botocore": 1.0, "botocore.client": 2.0, "fanfare": 0.1, "fanfare.api.router": 4.0, "re": 0.5}

    lines = packages_table("topics", took, most=2).splitlines()

    assert [line.split("|")[1].strip() for line in lines[2:]] == ["fanfare.api", "botocore"]
