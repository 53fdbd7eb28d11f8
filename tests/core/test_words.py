"""A reason says something, and nothing that cannot be seen, wherever one is asked for."""

import unicodedata
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.core.words import Message, Reason
from tests.trial import Person, Trial

REASON = TypeAdapter[str](Reason)
NOTHING_SAID = ["", "  ", "a", " a ", "x" * 2001, "zero\u200bwidth", "turned\u202eround"]
CONTROLS = [" \n ", "bell\x07", "a\rb", "a\x00b"]  # some of them are refused before, as no JSON or no address


@pytest.mark.parametrize("given", [*NOTHING_SAID, *CONTROLS, 123, None, b"bytes"])
def test_what_is_no_reason(given: Any) -> None:
    with pytest.raises(ValidationError):
        REASON.validate_python(given)


def test_a_reason_is_kept_as_it_was_meant() -> None:
    assert REASON.validate_python("  Read out\nof the source  ") == "Read out\nof the source"
    assert REASON.validate_python("抄写错误") == "抄写错误"
    assert REASON.validate_python(" 误录 ") == "误录"
    decomposed = unicodedata.normalize("NFD", "Übertragungsfehler")
    assert REASON.validate_python(decomposed) == unicodedata.normalize("NFC", decomposed)


def test_every_route_asks_for_the_same(trial: Trial) -> None:
    subject = trial.nurse.subject()
    page = f"/subjects/{subject}/visits/SCR/forms/consent"
    trial.nurse.enter(subject, "SCR", "consent", {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"})
    seen = {"If-Match": '"1"'}
    csv = {"content": b"subject,sample_date\n", "headers": {"Content-Type": "text/csv"}}
    asked: list[tuple[Person, str, str, dict[str, Any]]] = [
        (trial.nurse, "PUT", page, {"json": {"answers": {}}, "headers": seen}),
        (trial.nurse, "POST", page + "/void", {"json": {}, "headers": seen}),
        (trial.manager, "POST", f"/subjects/{subject}/transfer", {"json": {"site": "HZ02"}}),
        (trial.builder, "PUT", "/sites/HZ01/version", {"json": {"version": 1, "approved_on": "2024-03-01"}}),
        (trial.nurse, "POST", "/imports/labs", csv),
        (trial.administrator, "POST", "/grants", {"json": {"username": "nurse", "role": "monitor"}}),
    ]
    for person, method, path, sent in asked:
        for given in NOTHING_SAID:
            if "json" in sent:
                refused = person.call(method, path, **sent | {"json": sent["json"] | {"reason": given}})
            else:
                refused = person.call(method, path, **sent, params={"reason": given})
            assert refused.status_code == 422, (path, given)
            assert [each["pointer"] for each in refused.json()["errors"]] in (["/reason"], ["query:reason"]), path
    trial.verified()


def test_a_message_is_a_reason_of_any_length() -> None:
    message = TypeAdapter[str](Message)
    assert message.validate_python(" 是 ") == "是"
    assert len(message.validate_python("line\n" * 300_000)) == 300_000 * 5 - 1
    for nothing in ("", " \n ", "zero\u200bwidth", "bell\x07", None, 7):
        with pytest.raises(ValidationError):
            message.validate_python(nothing)
