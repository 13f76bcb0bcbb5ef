"""Access to the networks: FCM, APNs, their credentials, the HTTP/2 sender. Nothing here retries by itself."""
