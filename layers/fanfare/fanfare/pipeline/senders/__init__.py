"""Senders of an app's credentials to FCM and APNs."""
