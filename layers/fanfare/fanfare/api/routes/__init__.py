"""Which path is whose: the routes of each HTTP function, declared once for it and for `front`."""
