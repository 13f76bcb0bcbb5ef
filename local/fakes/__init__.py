"""Fake FCM, Google OAuth and APNs: they check as the real ones do, record all, answer as told."""
