"""The answers of a page, from the JSON that arrives to what is known about it: the door of this package for capture.

`read` takes what arrived to what is stored; `judge` and its parts say what follows; `difference` feeds the audit trail.
"""

from app.forms.findings import Difference, Problem, Question
from app.forms.judgement import (
    Context,
    Judgement,
    Place,
    complete,
    computed,
    judge,
    proving_life,
    questions,
    variables,
    visible,
)
from app.forms.reading import Answers, Reading, difference, read
from app.forms.values import Plain, convert, plain

__all__ = [
    "Answers",
    "Context",
    "Difference",
    "Judgement",
    "Place",
    "Plain",
    "Problem",
    "Question",
    "Reading",
    "complete",
    "computed",
    "convert",
    "difference",
    "judge",
    "plain",
    "proving_life",
    "questions",
    "read",
    "variables",
    "visible",
]
