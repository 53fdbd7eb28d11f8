"""Clients that keep their connections: as little work as possible beside what is measured."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Timing:
    """What a run of requests took: seconds in all, and of each request, in order of length."""

    seconds: float
    each: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.each) / self.seconds

    def percentile(self, part: float) -> float:
        """Milliseconds within which that part of the requests was answered."""
        return self.each[min(int(len(self.each) * part), len(self.each) - 1)] * 1000


class FailedError(RuntimeError):
    """A request that is measured was not answered with success, or a server did not start."""


def request(method: str, path: str, token: str = "", body: Any = None, **headers: str) -> bytes:
    """A request as it goes over the wire; a header is named with underscores."""
    content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    words = {"Host": _HOST, "Content-Length": str(len(content))} | {k.replace("_", "-"): v for k, v in headers.items()}
    if token:
        words["Authorization"] = f"Bearer {token}"
    if body is not None:
        words["Content-Type"] = "application/json"
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in words.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def drive(port: int, clients: Sequence[Sequence[bytes]]) -> Timing:
    """Send the requests of each client in their order, all clients at once. Raises FailedError unless all succeed."""

    async def together() -> tuple[float, list[list[float]]]:
        began = perf_counter()
        times = await asyncio.gather(*(_client(port, requests) for requests in clients))
        return perf_counter() - began, times

    seconds, times = asyncio.run(together())
    return Timing(seconds, tuple(sorted(time for of_one in times for time in of_one)))


async def _client(port: int, requests: Sequence[bytes]) -> list[float]:
    reader, writer = await asyncio.open_connection(_HOST, port)
    try:
        return [await _sent(reader, writer, each) for each in requests]
    finally:
        writer.close()
        await writer.wait_closed()


async def _sent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, one: bytes) -> float:
    began = perf_counter()
    writer.write(one)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    answer = await reader.readexactly(length)
    seconds = perf_counter() - began
    if not head.startswith(b"HTTP/1.1 2"):
        line = one.split(b"\r\n", 1)[0].decode()
        raise FailedError(f"{line}: {head.split(maxsplit=2)[1].decode()} {answer.decode()}")
    return seconds


@dataclass(frozen=True, slots=True)
class Process:
    """An application in a process of its own."""

    port: int
    pid: int

    @property
    def memory(self) -> float:
        """Resident megabytes."""
        return float(psutil.Process(self.pid).memory_info().rss) / 1e6


def listener() -> socket.socket:
    """A socket on the loopback that knows that it is of TCP."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.bind((_HOST, 0))
    made.listen(256)
    return made


@contextmanager
def process(module: str, *arguments: str | Path) -> Iterator[Process]:
    """Run a module of this package that serves the socket it inherits; clients may connect at once."""
    with listener() as listening:
        command = [sys.executable, "-m", module, str(listening.fileno()), *map(str, arguments)]
        child = subprocess.Popen(command, pass_fds=[listening.fileno()])  # noqa: S603 - this package's own module
        try:
            yield Process(int(listening.getsockname()[1]), child.pid)
        finally:
            child.terminate()
            child.wait()
