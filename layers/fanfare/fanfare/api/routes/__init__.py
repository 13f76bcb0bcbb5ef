"""The routes of each HTTP function, declared once for that function and for `front`."""
