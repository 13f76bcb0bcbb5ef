"""Local phone numbers to international ones, as the countries dial them."""

import pytest

from fanfare.domain.phone import e164


@pytest.mark.parametrize(
    ("country", "local", "international"),
    [
        ("JP", "09012345678", "+819012345678"),
        ("jp", "090-1234-5678", "+819012345678"),
        ("JP", "9012345678", "+819012345678"),
        ("US", "(415) 555-2671", "+14155552671"),
        ("US", "1 415 555 2671", "+14155552671"),
        ("GB", "020 7946 0018", "+442079460018"),
        ("DE", "030 123456", "+4930123456"),
        ("IT", "06 1234 5678", "+390612345678"),
        ("SM", "0549 886377", "+3780549886377"),
        ("ES", "612 34 56 78", "+34612345678"),
        ("RU", "8 (912) 345-67-89", "+79123456789"),
        ("RU", "800 123 45 67", "+78001234567"),
        ("KZ", "8 771 000 9998", "+77710009998"),
        ("HU", "06 20 123 4567", "+36201234567"),
        ("BY", "8 029 491 19 11", "+375294911911"),
        ("LT", "8 612 34567", "+37061234567"),
        ("LT", "0 612 34567", "+37061234567"),
        ("TM", "8 66 123456", "+99366123456"),
        ("MH", "235-1234", "+6922351234"),
        ("MX", "55 1234 5678", "+525512345678"),
    ],
)
def test_a_local_number_is_the_international_one(country: str, local: str, international: str) -> None:
    assert e164(country, local) == international


@pytest.mark.parametrize(
    ("country", "local"),
    [
        ("XX", "0901"),
        ("", "0901"),
        ("JP", ""),
        ("JP", "+819012345678"),
        ("JP", "090x"),
        ("JP", "-090"),
        ("JP", "\uff10\uff19\uff10"),
        ("JPN", "0901"),
        ("JP", "0" * 40),
        ("JP", "09\n"),
    ],
)
def test_what_is_no_local_number_of_a_country_is_none(country: str, local: str) -> None:
    assert e164(country, local) is None
