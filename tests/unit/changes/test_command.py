"""The command's arguments."""

import pytest

from measure.changes import __main__ as changes
from measure.changes.paced_run import ChangesPlan


@pytest.mark.parametrize(
    "arguments", [["--rate", "0"], ["--rate", "2001"], ["--subscribed", "many"], ["121"], ["-1"]]
)
def test_what_is_out_of_bounds_is_refused_before_anything_starts(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        changes.main(arguments)
    assert ended.value.code == 2
    assert "make changes" in capsys.readouterr().err


def test_without_arguments_500_a_second_are_written_for_ten_seconds() -> None:
    assert changes.options([]) == ChangesPlan(500, quiet=5_000, told=500)
    assert changes.options(["--rate", "100", "--subscribed", "50", "3"]) == ChangesPlan(
        100, quiet=300, told=50
    )
