"""Measurements, run by hand: `python -m benchmarks.NAME`. See docs/performance.md.

Each prints what it measured, beside a peer in the same run.
"""
