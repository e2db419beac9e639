"""The simulator behind mutual TLS, run by uvicorn. It logs nothing about anybody."""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ssbtek_gateway import tls
from ssbtek_gateway.simulator import personas, stored
from ssbtek_gateway.simulator.app import AKTORER, Simulator
from ssbtek_gateway.simulator.conduct import CONNECTION
from ssbtek_gateway.simulator.control import Control
from ssbtek_gateway.simulator.dates import today_in_sweden
from ssbtek_gateway.simulator.following import Following

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from ssbtek_gateway.simulator.faults import Fault
    from ssbtek_gateway.simulator.wssecurity import Signing

# As the server stops: long enough for an answer under way, short enough that a hanging one does not hold it up. After
# the first, connections are broken; after the second, which is not reached, uvicorn would cancel and complain.
_PATIENCE_SECONDS = 0.5
_STOP_SECONDS = 5
# Longer than a client keeps a connection: one that closes it in the very moment of a question plays a fault too.
_IDLE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Settings:
    """`port` 0 takes any free one. Clients must show a certificate from `client_ca`. `faults` is by base service.

    `aktorer` are the aktörsid that Försäkringskassan knows. `control` is a second port, on this machine only and
    without TLS, where faults are switched (`control.py`). With `signing` questions over SOAP must be signed. `fixtures`
    is a folder of answers that come before those of the personas (`stored.py`). Personas of one's own and fixtures are
    read again as their files change; `tell` is told how that went.
    """

    host: str
    port: int
    certificate: Path
    key: Path
    client_ca: tuple[Path, ...]
    faults: Mapping[str, Fault] = field(default_factory=dict)
    personas: Path = personas.FOLDER
    today: Callable[[], date] = today_in_sweden
    aktorer: tuple[str, ...] = AKTORER
    control: int | None = None
    signing: Signing | None = None
    fixtures: Path | None = None
    tell: Callable[[str], None] = lambda _text: None


async def serve(settings: Settings, started: Callable[[list[int]], None] = lambda _ports: None) -> None:
    """Serve until SIGTERM or SIGINT, or until cancelled; call `started` with the ports once connections are taken.

    Raises `PersonaError` for a bad persona, `StoredError` for a bad fixture, and `OSError` for a certificate, key, host
    or port that cannot be used.
    """
    known = personas.load(settings.personas, settings.today())
    app = Simulator(known, dict(settings.faults), settings.today, settings.aktorer, settings.signing)
    if settings.fixtures is not None:
        app.stored.update(stored.load(settings.fixtures))
    if settings.fixtures is not None or settings.personas != personas.FOLDER:
        app = replace(app, refresh=Following(app, settings.personas, settings.fixtures, settings.tell))
    config = _config(app, _Protocol)
    # uvicorn would build a context of its own, with other ciphers and versions than ours.
    config.ssl = tls.server_context(settings.certificate, settings.key, settings.client_ca)
    with ExitStack() as stack:
        listeners = [stack.enter_context(_listener(settings.host, settings.port))]
        if settings.control is not None:
            listeners.append(stack.enter_context(_listener("127.0.0.1", settings.control)))
        server = _Server(config, listeners, _config(Control(app), HttpToolsProtocol), started)
        try:
            await server.serve(sockets=listeners[:1])
        except asyncio.CancelledError:
            if server.started:
                await server.shutdown(sockets=listeners)
            raise


def _config(app: Callable[..., Any], protocol: type[HttpToolsProtocol]) -> Config:
    config = Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    config.load()
    return config


def _listener(host: str, port: int) -> socket.socket:
    listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    # asyncio would do so for a socket of its own; without it every answer waits some 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class _Server(Server):
    """uvicorn's own, which tells when it has started, and returns after a signal: that one raises it again.

    `listeners` are the agencies' socket and, where there is one, that of the control.
    """

    def __init__(
        self, config: Config, listeners: list[socket.socket], control: Config, started: Callable[[list[int]], None]
    ) -> None:
        super().__init__(config)
        self._listeners = listeners
        self._control = control
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)

        def protocol() -> HttpToolsProtocol:
            return HttpToolsProtocol(self._control, self.server_state, {})

        for listener in self._listeners[1:]:
            self.servers.append(await asyncio.get_running_loop().create_server(protocol, sock=listener))
        # Not before: from here on a signal stops the server in order.
        self._tell([listener.getsockname()[1] for listener in self._listeners])

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        main = threading.current_thread() is threading.main_thread()
        signals = (signal.SIGINT, signal.SIGTERM) if main else ()
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)


class _Protocol(HttpToolsProtocol):
    """uvicorn's own, which hands the connection to the app (`conduct.CONNECTION`), and ends it itself as it stops."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        connection = {"write": self.transport.write, "close": self.transport.close, "reset": self._reset}
        self.scope["extensions"] = {CONNECTION: connection}  # type: ignore[dict-item] # as inbound/server.py

    _patience: asyncio.TimerHandle | None = None

    def shutdown(self) -> None:
        super().shutdown()
        # Whoever is still being answered then is played a fault; the app is told that the peer is gone, and ends.
        self._patience = self.loop.call_later(_PATIENCE_SECONDS, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._patience is not None:
            self._patience.cancel()  # Python 3.11.2 cannot abort what has ended
        super().connection_lost(exc)

    def _reset(self) -> None:
        # SO_LINGER with no time makes the kernel send RST where it would send FIN.
        raw = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
