"""Facts until a day: what `forms check` says where that could hold nothing."""

import pytest

from app.study.check import check_study
from tests.study.test_definition_mistakes import FORMS, SOUND

ALLOCATED = '[[fact]]\nname = "allocated"\nform = "randomisation"\nitem = "rand_date"\n'
VISIT = '[[visit]]\ncode = "SCR"'


def told(fact: str) -> list[str]:
    """What is wrong with the sound file and this fact."""
    _, mistakes = check_study(SOUND.replace(VISIT, f"{ALLOCATED}[[fact]]\n{fact}{VISIT}"), FORMS)
    return [str(mistake) for mistake in mistakes]


@pytest.mark.parametrize("pick", ["newest", "first", "last", "series", "any"])
def test_a_fact_may_end_with_a_day(pick: str) -> None:
    assert told(f'name = "x"\nform = "randomisation"\nitem = "arm"\npick = "{pick}"\nuntil = "allocated"\n') == []


@pytest.mark.parametrize("pick", ["previous", "current", "history"])
def test_a_fact_of_the_page_that_asks_ends_with_no_other_day(pick: str) -> None:
    [mistake] = told(f'name = "x"\nform = "randomisation"\nitem = "arm"\npick = "{pick}"\nuntil = "allocated"\n')
    assert "Take `until` away" in mistake


def test_pages_without_a_day_end_with_none() -> None:
    [mistake] = told('name = "x"\nform = "dosing"\nitem = "given"\nuntil = "allocated"\n')
    assert "has no date to go by" in mistake
