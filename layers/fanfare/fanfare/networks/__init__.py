"""The way to the networks: FCM, APNs, their credentials, the HTTP/2 sender. Nothing retries by itself."""
