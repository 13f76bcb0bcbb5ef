"""The quick start of a Kii app, with every version of the JavaScript SDK that npm has."""

import pytest

from tests.e2e.journeys import android, play
from tests.e2e.world import World


@pytest.mark.parametrize("sdk", ["kii-cloud-sdk", "kii-cloud-sdk-2.4.13", "kii-cloud-sdk-2.4.8"])
def test_an_app_written_for_kii_works_unchanged(world: World, sdk: str) -> None:
    seen = play(world, "first_steps", sdk=sdk)

    object_id = seen.pop("objectID")
    assert seen == {
        "installed": True,
        "exists": [False, True],
        "subscribed": [False, True],
        "found": ["another"],
    }
    data = [one["data"] for one in android(world, f"kii-js-{world.stamp}", 3)]
    assert [one["hello"] for one in data if one.get("topic") == "news"] == ["world"]
    changes = {one["type"]: one["objectID"] for one in data if "bucketID" in one}
    assert changes == {"DATA_OBJECT_CREATED": object_id, "DATA_OBJECT_UPDATED": object_id}
