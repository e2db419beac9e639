"""The databases that an audit can be kept in, and taken messages with it."""

from unit.audit.conftest import backend, server

__all__ = ["backend", "server"]
