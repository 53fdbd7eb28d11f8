"""Uvicorn as Marrow runs it: one process or several, whose answers leave at once."""

import signal
import socket
import sys
from contextlib import suppress
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from app.core.heap import settle

_NOT_STARTED = 3


class Listening(uvicorn.Config):
    """A configuration whose socket sends without delay.

    An answer goes out as head and body. With Nagle's algorithm the body waits until the client has confirmed the
    head, which takes it 40 ms on a connection that is kept. asyncio turns the algorithm off for sockets that it opens
    itself; one that is shared by several processes hands the option on to each connection.
    """

    def bind_socket(self) -> socket.socket:
        """The socket, bound."""
        bound = super().bind_socket()
        if bound.family != socket.AF_UNIX:
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return bound

    def load(self) -> None:
        """The application, in the process that serves it."""
        super().load()
        settle()


class _Processes(Multiprocess):
    """Several processes, which a closed terminal ends as it ends one, unless that is ignored (nohup)."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        self._ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        super().__init__(config, sockets)

    def handle_hup(self) -> None:
        """End, where uvicorn would start its processes anew."""
        if not self._ignored:
            self.handle_term()


def serve(factory: str, *, host: str, port: int, workers: int, log_config: dict[str, Any]) -> None:
    """Serve the application that `factory` names (`module:function`) until told to stop.

    Ends the process with exit code 3 when it cannot start.
    """
    config = Listening(
        factory, factory=True, host=host, port=port, workers=workers, log_config=log_config, server_header=False
    )
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):
        if workers > 1:
            _Processes(config, sockets=[config.bind_socket()]).run()
            return
        config.load_app()
        server.run()
    if not server.started:
        sys.exit(_NOT_STARTED)
