"""Benchmarks under pytest-benchmark: see README.md, "Measure it yourself"."""
