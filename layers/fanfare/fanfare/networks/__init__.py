"""The way to the networks: FCM, APNs, their credentials, and the HTTP/2 sender. Nothing here is retried by itself."""
