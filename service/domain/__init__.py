"""Frozen values and pure decisions; imports nothing of the service but its errors."""
