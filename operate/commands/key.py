"""`fanfare key`: changes the keys of access tokens, an app's key and its client secret, while calls go on."""

from typing import Annotated

import typer

from fanfare.api.tokens import KNOWN_S, UNUSED_S
from fanfare.runtime import clock
from fanfare.store import app_secrets
from fanfare.store.app_secrets import Secret
from fanfare.store.apps import KEPT_MS
from operate import apps, profile
from operate.errors import Declined
from operate.options import NEEDS_AWS, STATE, AppID, AsJson, Region, StackName, State
from operate.output import answer
from operate.signing_keys import SigningKeys

key = typer.Typer(no_args_is_help=True, help=f"The keys of a stack and of its apps. {NEEDS_AWS}")
signing = typer.Typer(no_args_is_help=True, help=f"The keys that sign access tokens. {NEEDS_AWS}")
key.add_typer(signing, name="signing")

KeyID = Annotated[str, typer.Argument(metavar="KEY", help="The key's ID.")]
Now = Annotated[bool, typer.Option("--now", help="After a leak: do not wait. Calls are refused meanwhile.")]
CHANGED = "somebody else changed it meanwhile: look at it with `show`"


@signing.command("show", help=f"Show the IDs of the keys. {NEEDS_AWS}")
def show_keys(
    stack: StackName = None, region: Region = None, state: State = STATE, as_json: AsJson = False
) -> None:
    keys = SigningKeys.of(profile.chosen(stack, region, state))
    lines = [f"{one}{' (current)' if one == keys.current else ''}" for one in keys.keys]
    answer({"current": keys.current, "keys": list(keys.keys)}, *lines, as_json=as_json)


@signing.command("add", help=f"Make a key known, before it is used. {NEEDS_AWS}")
def add_key(
    stack: StackName = None, region: Region = None, state: State = STATE, as_json: AsJson = False
) -> None:
    keys, added = SigningKeys.of(profile.chosen(stack, region, state)).added()
    keys.put()
    said = f"the key {added} is known from now on; after {KNOWN_S} s: `signing use {added}`"
    answer({"added": added, "usable_after_s": KNOWN_S}, said, as_json=as_json)


@signing.command("use", help=f"Sign with this key. {NEEDS_AWS}")
def use_key(
    key_id: KeyID,
    now: Now = False,
    stack: StackName = None,
    region: Region = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    keys = SigningKeys.of(profile.chosen(stack, region, state))
    keys.using(key_id, clock.now(), at_once=now).put()
    answer(
        {"current": key_id, "before": keys.current, "retirable_after_s": UNUSED_S},
        f"tokens are signed with {key_id} from now on; those signed with {keys.current} stay good",
        f"after {UNUSED_S} s it can be retired: `signing retire {keys.current}`, which ends its tokens",
        as_json=as_json,
    )


@signing.command("retire", help=f"End this key and its tokens. {NEEDS_AWS}")
def retire_key(
    key_id: KeyID,
    now: Now = False,
    stack: StackName = None,
    region: Region = None,
    state: State = STATE,
    as_json: AsJson = False,
) -> None:
    keys = SigningKeys.of(profile.chosen(stack, region, state))
    keys.without(key_id, clock.now(), at_once=now).put()
    said = f"the key {key_id} is retired: tokens signed with it are refused within minutes"
    answer({"retired": key_id}, said, as_json=as_json)


def _of_app(secret: Secret, about: str) -> typer.Typer:
    """Return the commands of a secret that each app has."""
    commands = typer.Typer(no_args_is_help=True, help=f"{about} {NEEDS_AWS}")

    @commands.command(help=f"Show what is good. {NEEDS_AWS}")
    def show(
        app_id: AppID,
        stack: StackName = None,
        region: Region = None,
        state: State = STATE,
        as_json: AsJson = False,
    ) -> None:
        app = apps.find(profile.chosen(stack, region, state), app_id)
        if secret is Secret.APP_KEY:
            good = [app.key, app.former_key]
        else:
            good = ["the newest", app.former_secret_hash and "the former"]
        shown = [one for one in good if one is not None]
        answer({"good": shown}, *shown, as_json=as_json)

    @commands.command(help=f"Make a new one, good beside the one there is. {NEEDS_AWS}")
    def add(
        app_id: AppID,
        stack: StackName = None,
        region: Region = None,
        state: State = STATE,
        as_json: AsJson = False,
    ) -> None:
        app = apps.find(profile.chosen(stack, region, state), app_id)
        if (app.former_key if secret is Secret.APP_KEY else app.former_secret_hash) is not None:
            raise Declined(f"two are good already: `{secret} retire {app.id}` first")
        new = app_secrets.renew(app, secret)
        if new is None:
            raise Declined(CHANGED)
        kept = "" if secret is Secret.APP_KEY else " It is not kept anywhere: write it down."
        wait = f"after {KEPT_MS // 1000} s" if secret is Secret.APP_KEY else "at once"
        said = f"Good {wait}, and so is the one before, until you retire it.{kept}"
        answer({"added": new}, new, said, as_json=as_json)

    @commands.command(help=f"End the former one. {NEEDS_AWS}")
    def retire(
        app_id: AppID,
        newest: Annotated[bool, typer.Option("--newest", help="End the newest one instead.")] = False,
        stack: StackName = None,
        region: Region = None,
        state: State = STATE,
        as_json: AsJson = False,
    ) -> None:
        app = apps.find(profile.chosen(stack, region, state), app_id)
        if (app.former_key if secret is Secret.APP_KEY else app.former_secret_hash) is None:
            raise Declined("one alone is good: `add` another one first")
        if not app_secrets.retire(app, secret, newest=newest):
            raise Declined(CHANGED)
        which = "newest" if newest else "former"
        answer({"retired": which}, f"The {which} one is refused within a minute.", as_json=as_json)

    return commands


key.add_typer(_of_app(Secret.APP_KEY, "The key that apps on devices call with."), name=Secret.APP_KEY)
key.add_typer(
    _of_app(Secret.CLIENT_SECRET, "The secret that the administrator logs in with."),
    name=Secret.CLIENT_SECRET,
)
