"""What a route works in, such as a transaction: opened, used and closed by the one thread that runs the route.

FastAPI opens and closes what a dependency yields in threads of their own. Each time a request changes threads costs as
much as a statement, and a transaction stays open for as long as that takes.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction, signature
from types import TracebackType
from typing import Any, Generic, TypeVar, get_origin

from fastapi.dependencies.models import Dependant
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

T = TypeVar("T")


class Opening(Generic[T]):
    """Returned by a dependency, for its route to receive what `inner` gives once it is entered."""

    def __init__(self, request: Request, inner: AbstractContextManager[T]) -> None:
        self._inner = inner
        self.begun = False
        request.state.opening = self

    def __enter__(self) -> T:
        self.begun = True
        return self._inner.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._inner.__exit__(kind, fault, trace)


def opened(route: Callable[..., Any]) -> Callable[..., Any]:
    """The route, which receives what its dependencies open and closes it before its answer is sent.

    Raises TypeError for a route that would work on after that.
    """
    if iscoroutinefunction(route) or isgeneratorfunction(route) or isasyncgenfunction(route):
        raise TypeError(f"{route.__name__}: a route is a plain function that returns its answer")

    @wraps(route)
    def run(**given: Any) -> Any:
        with ExitStack() as stack:
            for name, value in given.items():
                if isinstance(value, Opening):
                    given[name] = stack.enter_context(value)
            return route(**given)

    return run


def unopened(dependant: Dependant, *, direct: bool = True) -> Iterator[str]:
    """The dependencies whose opening the route does not receive itself: nobody would open them."""
    for each in dependant.dependencies:
        opens = each.call is not None and get_origin(signature(each.call).return_annotation) is Opening
        if opens and not (direct and each.name):
            yield str(getattr(each.call, "__name__", each.call))
        yield from unopened(each, direct=False)


async def open_first(request: Request) -> None:
    """Open what a request that is refused did not come to open: who may not ask is told that, and nothing else."""
    opening: Opening[Any] | None = getattr(request.state, "opening", None)
    if opening is not None and not opening.begun:
        await run_in_threadpool(_tried, opening)


def _tried(opening: Opening[Any]) -> None:
    with opening:
        pass
