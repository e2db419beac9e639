"""Configurations to go on from."""
