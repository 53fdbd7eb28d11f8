"""What a course says on each page; what it leaves open is filled from the form. Pure."""

from app.demo.contents import disease, entry, treatment, trouble
from app.demo.contents.at import At, Given
from app.demo.course import Course

__all__ = ["At", "Given", "given"]

_PAGES = {**entry.PAGES, **disease.PAGES, **treatment.PAGES, **trouble.PAGES}


def given(form: str, course: Course, at: At) -> Given:
    """The answers that the course determines on a page of this form."""
    tell = _PAGES.get(form)
    return tell(course, at) if tell else {}
