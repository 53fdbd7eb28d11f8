from collections.abc import Callable
from pathlib import Path

import pytest

from app.forms.check import check_form
from app.forms.definition import Form

PAGE = Path(__file__).parent / "page.toml"


@pytest.fixture(scope="session")
def page_text() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def page(page_text) -> Form:
    form, mistakes = check_form(page_text)
    assert mistakes == []
    assert form is not None
    return form


@pytest.fixture
def changed(page_text) -> Callable[..., Form]:
    """The page with pieces of its text replaced."""

    def change(*pairs: tuple[str, str]) -> Form:
        text = page_text
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        form, mistakes = check_form(text)
        assert mistakes == []
        assert form is not None
        return form

    return change
