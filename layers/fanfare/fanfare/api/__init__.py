"""What the HTTP functions share: routing, authentication, errors, parsing, and what each route does."""
