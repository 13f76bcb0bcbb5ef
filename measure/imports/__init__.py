"""What a cold start spends on imports: `make imports`."""
