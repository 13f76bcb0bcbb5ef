"""buckets: buckets, their objects, who is subscribed to changes; and what no other function takes."""

from dataclasses import dataclass

from fanfare.api import access, bodies, buckets, objects, queries
from fanfare.api.router import Api


@dataclass(frozen=True, slots=True)
class Settings:
    apps_table: str
    accounts_table: str
    buckets_table: str
    objects_table: str
    subscriptions_table: str
    recipients_table: str
    object_bodies_bucket: str
    sweep_queue_url: str
    limits_table: str
    signing_keys_parameter: str
    trusted_proxy_header: str


app = Api(Settings)
for scope in ("/api/apps/<appID>", "/api/apps/<appID>/users/<user>", "/api/apps/<appID>/groups/<group>"):
    bucket = f"{scope}/buckets/<bucket>"
    one_object = f"{bucket}/objects/<object>"
    subscribers = f"{bucket}/filters/<filter>/push/subscriptions/users"
    app.on("PUT", bucket, buckets.create)
    app.on("GET", bucket, buckets.get)
    app.on("HEAD", bucket, buckets.exists)
    app.on("DELETE", bucket, buckets.delete)
    app.on("POST", f"{bucket}/query", queries.query)
    app.on("POST", f"{bucket}/objects", objects.create)
    app.on("GET", one_object, objects.get)
    app.on("HEAD", one_object, objects.head)
    app.on("PUT", one_object, objects.put)
    app.on("PATCH", one_object, objects.patch)
    app.on("POST", one_object, objects.patch_by_override)
    app.on("DELETE", one_object, objects.delete)
    app.on("PUT", f"{one_object}/body", bodies.put)
    app.on("GET", f"{one_object}/body", bodies.get)
    app.on("HEAD", f"{one_object}/body", bodies.head)
    app.on("DELETE", f"{one_object}/body", bodies.delete)
    app.on("POST PUT", subscribers, buckets.subscribe)
    app.on("PUT", f"{subscribers}/<subscriber>", buckets.subscribe)
    app.on("GET HEAD", f"{subscribers}/<subscriber>", buckets.is_subscribed)
    app.on("DELETE", f"{subscribers}/<subscriber>", buckets.unsubscribe)
    app.on("GET", f"{bucket}/filters/<filter>/push/subscriptions/count", buckets.count_subscribers)
    for listed in (bucket, one_object):
        access.serve(app, listed)

handler = app.handle
