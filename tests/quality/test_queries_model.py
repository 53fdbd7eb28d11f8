"""Whatever the data and the people do, in whatever order: the query of a rule is where a small model says it is."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.quality.asking import Page, listed, thread
from tests.trial import Trial

BAD = ("21", "22")
WHO = {"answer": "nurse", "confirm": "doctor", "close": "monitor", "reopen": "manager", "cancel": "manager"}
OFTEN = ["21", "21", "21", "121", "121", "confirm", "answer", "reopen"]
"""So that a value that people have spoken about goes and comes back in many of the stories."""
STEPS = st.lists(st.sampled_from([*OFTEN, *BAD, "void", *WHO]), min_size=6, max_size=18)


@dataclass
class Model:
    """The query about a low haemoglobin, as the requirement tells it."""

    value: str | None = None
    waits: bool = False
    answered: bool = False
    spoken: bool = False
    confirmed: str | None = None
    begun: bool = False
    cancelled: bool = False

    def save(self, value: str) -> None:
        before, self.value = self.value, value
        if value == before:
            return
        if value in BAD and value != self.confirmed:
            if not self.waits:
                self.spoken = False
            self.begun, self.waits, self.answered, self.cancelled = True, True, False, False
        elif not self.spoken:
            self.waits = False

    def void(self) -> None:
        self.value, self.waits = None, False

    def act(self, name: str) -> bool:
        """Whether it is possible; what it does."""
        if not self.begun or (self.waits and not self.answered if name == "reopen" else not self.waits):
            return False
        if name in {"answer", "confirm"}:
            self.answered = self.spoken = True
        if name == "confirm":
            self.confirmed = self.value if self.value in BAD else None
        if name in {"close", "cancel"}:
            self.waits, self.cancelled = False, name == "cancel"
        if name == "reopen":
            self.waits, self.answered, self.spoken, self.confirmed, self.cancelled = True, False, True, None, False
        return True

    @property
    def state(self) -> str:
        if not self.waits:
            return "cancelled" if self.cancelled else "closed"
        return "answered" if self.answered else "reopened" if self.spoken else "open"


def test_the_query_of_a_rule_is_where_the_model_says(trial: Trial) -> None:
    @settings(max_examples=50, deadline=None)
    @given(STEPS)
    def whatever_happens(steps: list[str]) -> None:
        follow(trial, steps)

    whatever_happens()
    trial.verified()


def follow(trial: Trial, steps: list[str]) -> None:
    """Do the steps to the page of a new subject, and look after each."""
    page, model = Page(trial), Model()
    query = None
    for step in steps:
        if step in WHO:
            if query is not None:
                done = trial.cast[WHO[step]].post(f"/queries/{query}/{step}", {"text": "As I say"})
                assert done.status_code == (200 if model.act(step) else 409), (steps, step)
        elif step == "void":
            if model.value is not None:
                page.void()
                model.void()
        else:
            page.enter(step)
            model.save(step)
        there = listed(trial.manager, subject=page.subject)
        assert len(there) == model.begun
        if there:
            query = there[0]["query"]
            assert there[0]["state"] == model.state, (steps, step)
    if query is not None:
        told = thread(trial.manager, query)
        assert [each["number"] for each in told["thread"]] == list(range(1, told["messages"] + 1))
        assert told["thread"][-1]["state"] == told["state"]
