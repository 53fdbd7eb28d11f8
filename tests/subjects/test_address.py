"""Addresses as a coordinator says them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import NotFound
from app.subjects.address import Step, place, step, written
from app.subjects.facts import Place


def test_the_first_needs_no_number() -> None:
    assert step("D30") == step("D30.1") == Step("D30", 1)
    assert place("UNS.2", "adverse_event.3") == Place("UNS", 2, "adverse_event", 3)


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,31}", fullmatch=True), st.integers(1, 9999))
def test_what_is_written_is_read_again(name: str, repeat: int) -> None:
    assert step(written(name, repeat)) == Step(name, repeat)


@pytest.mark.parametrize("text", ["", ".", "D30.", "D30.0", "D30.01", "D30.-1", "D30.10000", "3D", "D30.1.1", "D 30",
                                  "D30\n", "a/b", "ä", "D30.１", "x" * 33])  # fmt: skip
def test_what_is_no_address_leads_nowhere(text: str) -> None:
    with pytest.raises(NotFound):
        step(text)
