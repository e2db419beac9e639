"""The supervisor's log, in the form of the workers' (`observe`), without the library."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from datetime import UTC, datetime


def log(event: str, **facts: object) -> None:
    """One line. That it cannot be written, because a disk is full, stops nobody."""
    line = {**facts, "event": event, "level": "info", "timestamp": datetime.now(UTC).isoformat()}
    with suppress(OSError):
        sys.stderr.write(json.dumps(line) + "\n")
        sys.stderr.flush()
