"""The clock behind `make load`: from accepted to handed over, large and small sends side by side."""
