"""Benchmarks that print ratios: `make bench`. Never part of the tests."""
