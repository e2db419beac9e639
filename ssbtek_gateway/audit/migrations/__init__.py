"""Alembic's scripts. Each creates or changes on its own: what was once run is never edited."""
