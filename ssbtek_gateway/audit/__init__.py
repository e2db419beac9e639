"""The record of who asked about whom: durable before any agency is asked, and before an answer leaves. No payload."""


class AuditError(Exception):
    """The row is not durable, or the record cannot be read; nothing may happen that relies on it."""
