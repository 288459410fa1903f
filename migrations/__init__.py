"""The schema's history: Alembic revisions, and nothing else changes the schema."""
