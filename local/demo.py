"""`make run` and `make demo`: the main job, through the public API, checked against the networks' record.

Two users, four devices of both networks, one of which changes hands; a direct push, a push to a topic, a push
from a bucket, and a device that the network declares dead.
"""

import argparse
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from local.ports import default_port, default_state
from local.stack import Stack, StackError
from local.stack.signs import signs
from local.waiting import NO_ANSWER_S, while_moving
from operate.client import Client

PHONE = ("ANDROID", "demo-alices-phone:APA91bF0xQ", "Alice's phone, Android")
TABLET = ("ANDROID", "demo-the-tablet:APA91bT7zR", "the tablet, Android, Alice's and then Bob's")
IPAD = ("IOS", "a11ce0" + "1" * 58, "Alice's iPad")
IPHONE = ("IOS", "b0b000" + "2" * 58, "Bob's iPhone, a development build")
DEVICES = (PHONE, IPAD, TABLET, IPHONE)


@dataclass(slots=True)
class Demo:
    """The journey, with the pushes that each device must have received by now."""

    stack: Mapping[str, Any]
    expected: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(device token, push) -> number of times."""
    wrong: list[str] = field(default_factory=list)

    def play(self) -> bool:
        """The whole of it; True when everything came out as it should."""
        nobody = Client(self.stack["site"], self.stack["app_id"], self.stack["app_key"])
        admin = nobody.administrator(self.stack["client_id"], self.stack["client_secret"])
        stamp = f"{time.time_ns() // 1000:x}"
        step("Two users sign up, and install four devices; the tablet changes hands")
        alice, bob = (nobody.sign_up(f"{name}-{stamp}", "secret-1234") for name in ("alice", "bob"))
        alice.install(*PHONE[:2])
        alice.install(*IPAD[:2])
        alice.install(*TABLET[:2])
        bob.install(*TABLET[:2])
        bob.install(*IPHONE[:2], development=True)
        self._direct(admin, alice)
        self._topic(admin, alice, bob, f"news-{stamp}")
        self._bucket(alice, bob, f"board-{stamp}")
        self._dead(admin, bob)
        return not self.wrong

    def _direct(self, admin: Client, alice: Client) -> None:
        step("Direct push: the administrator sends to Alice")
        sent = admin.send(f"/users/{alice.user_id}", message("direct", "Hello Alice"))
        self._came("direct", PHONE, IPAD)
        self._told(admin, sent, {"delivered": 2})

    def _topic(self, admin: Client, alice: Client, bob: Client, topic: str) -> None:
        step(f"Push to User: both subscribe to the topic {topic}, the administrator sends to it")
        admin.call("PUT", f"/topics/{topic}")
        alice.subscribe(f"/topics/{topic}")
        bob.subscribe(f"/topics/{topic}")
        sent = admin.send(f"/topics/{topic}", message("topic", "News for everybody"))
        self._came("topic", *DEVICES)
        self._told(admin, sent, {"delivered": 4})

    def _bucket(self, alice: Client, bob: Client, bucket: str) -> None:
        step(f"Push to App: Bob subscribes to the bucket {bucket}, Alice writes an object into it")
        bob.subscribe(f"/buckets/{bucket}/filters/all")
        alice.call("POST", f"/buckets/{bucket}/objects", {"text": "a note"})
        self._came("DATA_OBJECT_CREATED", TABLET, IPHONE)

    def _dead(self, admin: Client, bob: Client) -> None:
        step("A dead device: APNs answers 410 for Bob's iPhone")
        dead = {"reason": "Unregistered", "timestamp": time.time_ns() // 1_000_000 + 1000}
        rule = {"network": "apns", "token": IPHONE[1], "status": 410, "body": dead}
        requests.post(f"{self.stack['fakes']}/answers", json=rule, timeout=NO_ANSWER_S).raise_for_status()
        installation = f"/installations/IOS:{IPHONE[1]}"
        admin.send(f"/users/{bob.user_id}", message("last", "Anybody there?"))
        self._came("last", TABLET, IPHONE)
        purged = self._until(lambda: not bob.exists(installation))
        self._check("the iPhone's installation is purged", purged)
        self._check("the tablet's installation is kept", bob.exists(f"/installations/ANDROID:{TABLET[1]}"))
        admin.send(f"/users/{bob.user_id}", message("after", "And now?"))
        self._came("after", TABLET)

    def _came(self, what: str, *devices: tuple[str, str, str]) -> None:
        """Wait until the devices have it, and see that they and no others do, once."""
        self.expected.update((token, what) for _, token, _ in devices)
        self._until(lambda: sum(self._received().values()) >= sum(self.expected.values()))
        self._until(self._idle)
        received = self._received()
        for _, token, name in DEVICES:
            wanted, got = self.expected[token, what], received[token, what]
            if wanted or got:
                self._check(f"{name}: {what}" + (f", {got} times" if got > 1 else ""), wanted == got)
        for stray in received.keys() - self.expected.keys():
            self._check(f"{stray[1]} on {stray[0]}, which nobody sent there", False)

    def _told(self, admin: Client, push: str, counts: dict[str, int]) -> None:
        """The message's status says the same, once its delivery has ended."""

        def status() -> dict[str, Any]:
            return admin.call("GET", f"/push/messages/{push}")

        self._until(lambda: status()["devices"] == counts)
        self._check(f"status of the message: {counts}", status()["devices"] == counts)

    def _received(self) -> Counter[tuple[str, str]]:
        """Return the fake networks' record for the demo's devices."""
        record = requests.get(f"{self.stack['fakes']}/received", timeout=NO_ANSWER_S).json()
        mine = {token for _, token, _ in DEVICES}
        return Counter((one["token"], label(one["body"])) for one in record if one["token"] in mine)

    def _idle(self) -> bool:
        return bool(requests.get(f"{self.stack['runner']}/idle", timeout=NO_ANSWER_S).json())

    def _until(self, true: Callable[[], bool]) -> bool:
        return while_moving(true, lambda: signs(self.stack))

    def _check(self, what: str, right: bool) -> None:
        print(f"    {'ok   ' if right else 'WRONG'} {what}", flush=True)
        if not right:
            self.wrong.append(what)


def message(label: str, text: str) -> dict[str, Any]:
    return {
        "data": {"demo": label},
        "gcm": {"enabled": True, "notification": {"title": "Fanfare", "body": text}},
        "apns": {"enabled": True, "alert": {"title": "Fanfare", "body": text}},
    }


def label(body: dict[str, Any]) -> str:
    """Name a push by its content at the device: ours by its data, a Push to App by its event."""
    data = body.get("message", {}).get("data") or body
    return str(data.get("demo") or data.get("type") or data.get("t"))


def step(text: str) -> None:
    print(f"\n{text}", flush=True)


def how_to(stack: Mapping[str, Any]) -> str:
    app = f"{stack['site']}/apps/{stack['app_id']}"
    return f"""
The stack stays up; end it with Ctrl-C. What a client needs stands in {default_state()}/stack.json. To try it:

  # the administrator's token
  curl -s {stack["site"]}/oauth2/token -H 'x-kii-appid: {stack["app_id"]}' \\
    -H 'content-type: application/json' \\
    -d '{{"client_id":"{stack["client_id"]}","client_secret":"{stack["client_secret"]}"}}'
  # a user, with an access token (use it as: -H 'authorization: bearer ACCESS_TOKEN')
  curl -s {app}/users -H 'x-kii-appkey: {stack["app_key"]}' -H 'x-kii-appid: {stack["app_id"]}' \\
    -H 'content-type: application/vnd.kii.RegistrationAndAuthorizationRequest+json' -d '{{}}'
  # the user's device
  curl -s {app}/installations -H 'authorization: bearer ACCESS_TOKEN' -H 'content-type: application/json' \\
    -d '{{"deviceType":"ANDROID","installationRegistrationID":"my-token"}}'
  # a direct push, with the administrator's token
  curl -s {app}/users/USER_ID/push/messages -H 'authorization: bearer ADMIN_TOKEN' \\
    -H 'content-type: application/json' -d '{{"data":{{"hello":"world"}},"gcm":{{"enabled":true}}}}'
  # the API, to read and to try
  {stack["runner"]}/
  # what the networks received
  curl -s {stack["fakes"]}/received
"""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--stay", action="store_true", help="leave the stack up until Ctrl-C")
    arguments.add_argument("--bridge", default="", metavar="ADDRESS", help="see docs/sam-local.md")
    given = arguments.parse_args()
    stay = given.stay
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with Stack(port=default_port(), state=default_state(), bridge=given.bridge) as stack:
            demo = Demo(stack.values)
            right = demo.play()
            verdict = "Everything came out right." if right else f"{len(demo.wrong)} things came out WRONG."
            print(f"\n{verdict}", flush=True)
            if stay and right:
                print(how_to(stack.values), flush=True)
                signal.pause()
            return 0 if right else 1
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
