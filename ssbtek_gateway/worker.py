"""One process that answers questions: `python -m ssbtek_gateway.worker CONFIG NUMBER HEARTBEAT DOOR…`.

The supervisor starts it. HEARTBEAT and DOOR are inherited descriptors: where it tells its state, and a bound socket for
each of `gateway.addresses`.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import uvloop

from ssbtek_gateway import config, gateway, materials, observe
from ssbtek_gateway.audit import AuditError
from ssbtek_gateway.sockets import is_bound_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssbtek_gateway.health import State
    from ssbtek_gateway.inbound.server import Listener

_HEARTBEAT_SECONDS = 1


def main() -> None:
    """Answer until SIGTERM. Exit codes: 0 stopped, 1 it cannot be built; standard error says why."""
    path, number, heartbeat, *doors = sys.argv[1:]
    # A process that a message wakes lets the others finish what they do: fewer switches, a tenth of a question's CPU.
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    observe.configure()
    observe.unblock()
    structlog.contextvars.bind_contextvars(worker=int(number))
    try:
        settings = config.load(Path(path))
        observe.configure(four_points=settings.log.points, for_good=True)
        sockets = [socket.socket(fileno=int(door)) for door in doors]
        _check(settings, sockets)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, sockets, int(number), int(heartbeat)))
    except config.ConfigError as error:
        sys.exit(str(error))
    except (materials.SetupError, AuditError) as error:
        sys.exit(f"{path}: {error}")


def _check(settings: config.Settings, sockets: list[socket.socket]) -> None:
    """After a reload: the sockets are still those that were bound at the start."""
    asked = gateway.addresses(settings)
    if len(sockets) != len(asked) or not all(map(is_bound_to, sockets, asked)):
        raise materials.SetupError("listen, publish, proxy: another address needs a restart")


async def _serve(settings: config.Settings, sockets: list[socket.socket], worker: int, heartbeat: int) -> None:
    beating: list[asyncio.Task[None]] = []

    def started(listener: Listener, _ports: list[int], state: Callable[[], State]) -> None:
        beating.append(asyncio.create_task(_beat(heartbeat, listener, state)))

    await gateway.serve(settings, started, sockets, worker)


async def _beat(heartbeat: int, listener: Listener, state: Callable[[], State]) -> None:
    """Tell the state once a second; stop in order where the supervisor is gone."""
    os.set_blocking(heartbeat, False)
    while True:
        try:
            os.write(heartbeat, json.dumps(state()).encode())
        except BlockingIOError:
            pass  # the supervisor is busy; enough waits for it already
        except OSError:
            listener.should_exit = True
            return
        await asyncio.sleep(_HEARTBEAT_SECONDS)


if __name__ == "__main__":
    main()
