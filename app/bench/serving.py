"""`python -m app.bench.serving <socket> <database url> <anchor file>`: the application as `marrow serve` runs it."""

import socket
import sys
from pathlib import Path

import uvicorn

from app.core.db import make_engine
from app.core.logs import configuration
from app.core.serving import Listening
from app.core.transaction import Database
from app.main import create_app
from app.settings import Settings


def main(descriptor: str, url: str, anchors: str) -> None:
    """Serve until told to stop; a line per request is made as in production and not written."""
    settings = Settings()
    database = Database(make_engine(url, pool_size=settings.pool_size), Path(anchors))
    words = configuration("WARNING")
    serve(Listening(create_app(settings, database), log_config=words, server_header=False), int(descriptor))


def serve(config: uvicorn.Config, descriptor: int) -> None:
    """Serve a socket that was inherited, as what it is: of one given as `fd` uvicorn thinks it is no TCP socket.

    asyncio turns Nagle's algorithm off where it knows TCP, and with it 40 ms of waiting in every answer.
    """
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    main(*sys.argv[1:])
