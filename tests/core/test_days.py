from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.core.days import Day, Instant

DAY: TypeAdapter[Any] = TypeAdapter(Day)
INSTANT: TypeAdapter[Any] = TypeAdapter(Instant)


def test_days_and_instants_are_written_out() -> None:
    assert DAY.validate_python("2024-02-29") == date(2024, 2, 29)
    for text in ("2024-02-29T12:00:00Z", "2024-02-29t12:00:00z", "2024-02-29 12:00Z", "2024-02-29T20:00:00+08:00"):
        assert INSTANT.validate_python(text) == datetime(2024, 2, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "86400", "2024", "2024-02", "2023-02-29", "20240229", "2024-02-29T00:00:00", "２０２４-01-01", 86400],
)
def test_a_number_or_half_a_date_is_no_day(text: Any) -> None:
    with pytest.raises(ValidationError):
        DAY.validate_python(text)


@pytest.mark.parametrize("text", ["", "86400", "1e9", "2024-02-29", "2024-02-29T12:00:00", "now", 86400])
def test_a_number_or_a_local_time_is_no_instant(text: Any) -> None:
    with pytest.raises(ValidationError):
        INSTANT.validate_python(text)
