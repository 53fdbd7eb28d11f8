"""The answers of a page, from the JSON that arrives to what is known about it: the door of this package for capture.

`read` takes what arrived to what is stored; `judge` says what follows; `difference` feeds the audit trail.
"""

from app.forms.asking import Worked
from app.forms.context import Context, Place
from app.forms.findings import Difference, Problem, Question, fingerprint
from app.forms.judgement import Judgement, judge, late_questions, proving_life, refused, variables, visible
from app.forms.reading import Answers, Reading, difference, read
from app.forms.values import Plain, convert, in_unit_of, plain, value_of

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
    "Worked",
    "convert",
    "difference",
    "fingerprint",
    "in_unit_of",
    "judge",
    "late_questions",
    "plain",
    "proving_life",
    "read",
    "refused",
    "value_of",
    "variables",
    "visible",
]
