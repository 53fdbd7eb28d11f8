"""`python -m app.bench.serving <socket> <database url> <anchor file>`: the application as `marrow serve` runs it."""

import sys
from pathlib import Path

import uvicorn

from app.core.db import make_engine
from app.core.logs import configuration
from app.core.transaction import Database
from app.main import create_app
from app.settings import Settings


def main(descriptor: str, url: str, anchors: str) -> None:
    """Serve until told to stop; a line per request is made as in production and not written."""
    settings = Settings()
    database = Database(make_engine(url, pool_size=settings.pool_size), Path(anchors))
    words = configuration("WARNING")
    uvicorn.run(create_app(settings, database), fd=int(descriptor), log_config=words, server_header=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
