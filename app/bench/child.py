"""A module of the benchmark run as a program of its own."""

import json
import subprocess
import sys
from typing import Any


def told(module: str, *arguments: str) -> dict[str, Any]:
    """Run it, and read the JSON that it prints."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own modules
    return dict(json.loads(done.stdout))
