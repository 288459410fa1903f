"""How fresh replicas are, what the change feed costs a writer, and what an idle replica asks."""
