"""Measurements of the product: costs, simulations, loads, imports and benchmarks."""
