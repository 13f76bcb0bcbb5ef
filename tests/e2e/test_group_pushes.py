"""A group's pushes reach its members, from the HTTP request to the devices, and no former member."""

from tests.e2e.world import World

MESSAGE = {"data": {"k": "v"}, "gcm": {"enabled": True}}


def test_who_left_the_group_gets_nothing_more(world: World) -> None:
    alice, bob = world.pseudo_user(), world.pseudo_user()
    alice_token, bob_token = f"ga{world.stamp}", f"gb{world.stamp}"
    for user, token in ((alice, alice_token), (bob, bob_token)):
        user.call("POST", "/installations", {"deviceType": "ANDROID", "installationRegistrationID": token})
    group = "/groups/" + alice.call("POST", "/groups", {"name": "Club", "members": [bob.user_id]})["groupID"]
    topic, bucket = f"{group}/topics/news", f"{group}/buckets/board"
    alice.call("PUT", topic)
    for user in (alice, bob):
        user.call("PUT", f"{topic}/push/subscriptions/users/{user.user_id}")
        user.call("PUT", f"{bucket}/filters/all/push/subscriptions/users/{user.user_id}")

    bob.call("POST", f"{topic}/push/messages", MESSAGE)
    bob.call("POST", f"{bucket}/objects", {"text": "first"})
    world.wait_for(lambda: len(world.received(bob_token)) == 2, "bob's pushes")
    of_bob = [push["body"] for push in world.received(bob_token)]
    alice.call("DELETE", f"{group}/members/{bob.user_id}")
    alice.call("POST", f"{topic}/push/messages", MESSAGE)
    alice.call("POST", f"{bucket}/objects", {"text": "second"})

    world.wait_for(lambda: len(world.received(alice_token)) == 4, "alice's pushes")
    mine = f"/users/{bob.user_id}/subscriptions"
    world.wait_for(lambda: bob.call("GET", mine) == {"subscriptions": []}, "sweep")
    assert [push["body"] for push in world.received(bob_token)] == of_bob
