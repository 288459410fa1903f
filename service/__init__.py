"""facematch: a self-hosted face matching service."""
