"""`python -m local.stack.first_app FOLDER PROFILE`: makes the app of a local stack, prints its keys.

It is a process of its own, since it binds the store to the stack. The app has the same ID and keys in each
run of the stack: they are kept in the state folder.
"""

import json
import sys
from pathlib import Path

import msgspec

from fanfare.store import apps
from fanfare.store.apps import Keys
from local.stack.state import StateFolder
from operate.apps import create, named
from operate.errors import CommandFailed, Unusable
from operate.profile import LocalProfile


def main(folder: Path, profile: str) -> int:
    try:
        at = msgspec.json.decode(profile, type=LocalProfile).use()
        made = create(at, at.for_new_apps.credentials(), kept(folder))
    except CommandFailed as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(json.dumps(made))
    return 0


def kept(folder: Path) -> tuple[str, Keys]:
    """Return the ID and the keys of the app, which are made once for a state folder. Raises Unusable."""
    state = StateFolder(folder)
    try:
        found = json.loads(state.app_json.read_text())
        return found["app_id"], Keys(found["app_key"], found["client_id"], found["client_secret"])
    except FileNotFoundError:
        app_id, keys = apps.new_id(), apps.new_keys()
        state.write(state.app_json, named(app_id, keys))
        return app_id, keys
    except (ValueError, TypeError, KeyError) as error:
        raise Unusable(
            f"{state.app_json} does not hold an app's keys; delete it, and new ones are made"
        ) from error


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
