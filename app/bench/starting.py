"""How long until the server answers, and what importing the application costs."""

import subprocess
import sys
from pathlib import Path
from time import perf_counter

from app.bench.drive import drive, process, request
from app.bench.world import World


def start(world: World) -> float:
    """Seconds from the start of the process to its first answer that it is ready."""
    began = perf_counter()
    with process("app.bench.serving", world.server.app_url, world.database.anchors) as serving:
        drive(serving.port, [[request("GET", "/health/ready")]])
        return perf_counter() - began


def imports(folder: Path) -> float:
    """Seconds to import `app.main` in a fresh process whose byte code is there, as pip and the first start leave it."""
    timing = "import sys, time; sys.dont_write_bytecode = False; t = time.perf_counter(); import app.main; "
    command = [
        sys.executable,
        "-X",
        f"pycache_prefix={folder / 'bytecode'}",
        "-c",
        timing + "print(time.perf_counter() - t)",
    ]
    done = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(3)]  # noqa: S603
    return min(map(float, done[1:]))
