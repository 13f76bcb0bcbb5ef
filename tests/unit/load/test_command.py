"""The command's arguments."""

import pytest

from measure.load import __main__ as load


@pytest.mark.parametrize("recipients", ["9999", "100001", "-1", "many", "", "1e4"])
def test_a_size_out_of_bounds_is_refused_before_anything_starts(
    recipients: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        load.main(["--recipients", recipients])
    assert ended.value.code == 2
    assert "from 10,000 to 100,000" in capsys.readouterr().err
