"""Buckets, their objects, and subscriptions to changes."""

from fanfare.api import access, bodies, buckets, objects, queries
from fanfare.api.bodies import KeepingAndSweeping
from fanfare.api.router import Api


def declare[S: KeepingAndSweeping](app: Api[S]) -> None:
    for scope in ("/api/apps/<appID>", "/api/apps/<appID>/users/<user>", "/api/apps/<appID>/groups/<group>"):
        bucket = f"{scope}/buckets/<bucket>"
        one_object = f"{bucket}/objects/<object>"
        subscribers = f"{bucket}/filters/<filter>/push/subscriptions/users"
        app.on("PUT", bucket, buckets.create, body=True)
        app.on("GET", bucket, buckets.get)
        app.on("HEAD", bucket, buckets.exists)
        app.on("DELETE", bucket, buckets.delete)
        app.on("POST", f"{bucket}/query", queries.query, body=True)
        app.on("POST", f"{bucket}/objects", objects.create, body=True)
        app.on("GET", one_object, objects.get)
        app.on("HEAD", one_object, objects.head)
        app.on("PUT", one_object, objects.put, body=True)
        app.on("PATCH", one_object, objects.patch, body=True)
        app.on("POST", one_object, objects.patch_by_override, body=True)
        app.on("DELETE", one_object, objects.delete)
        app.on("PUT", f"{one_object}/body", bodies.put, body=True)
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
