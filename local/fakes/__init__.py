"""Fake FCM, Google OAuth and APNs: they check what the real ones check, record all, answer as told."""
