"""Stored questions sent again, and their answers compared with the stored ones: fixtures in, differences out.

For test persons only: a difference is told with its values.
"""
