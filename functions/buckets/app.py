"""buckets: buckets, their objects, who is subscribed to changes; and what no other function takes."""

from dataclasses import dataclass

from fanfare.api import buckets, objects
from fanfare.api.router import Api


@dataclass(frozen=True, slots=True)
class Settings:
    apps_table: str
    accounts_table: str
    buckets_table: str
    objects_table: str
    subscriptions_table: str
    recipients_table: str
    sweep_queue_url: str
    signing_keys_parameter: str


app = Api(Settings)
for scope in ("/api/apps/<appID>", "/api/apps/<appID>/users/<user>"):
    bucket = f"{scope}/buckets/<bucket>"
    one_object = f"{bucket}/objects/<object>"
    subscribers = f"{bucket}/filters/<filter>/push/subscriptions/users"
    app.on("PUT", bucket, buckets.create)
    app.on("GET", bucket, buckets.get)
    app.on("DELETE", bucket, buckets.delete)
    app.on("POST", f"{bucket}/objects", objects.create)
    app.on("GET", one_object, objects.get)
    app.on("HEAD", one_object, objects.head)
    app.on("PUT", one_object, objects.put)
    app.on("DELETE", one_object, objects.delete)
    app.on("POST PUT", subscribers, buckets.subscribe)
    app.on("PUT", f"{subscribers}/<subscriber>", buckets.subscribe)
    app.on("GET HEAD", f"{subscribers}/<subscriber>", buckets.is_subscribed)
    app.on("DELETE", f"{subscribers}/<subscriber>", buckets.unsubscribe)

handler = app.handle
