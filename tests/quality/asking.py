"""Queries as the people of a small trial see and treat them."""

from typing import Any

from tests.trial import Person, Trial

LABS = {"sample_date": "2024-01-09", "hb": "97.5"}


def listed(who: Person, **query: Any) -> list[dict[str, Any]]:
    answer = who.get("/queries", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def thread(who: Person, query: str, **more: Any) -> dict[str, Any]:
    answer = who.get(f"/queries/{query}", **more)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def acts(who: Person, query: str) -> list[str]:
    return [each["action"] for each in thread(who, query)["thread"]]


def does(who: Person, action: str, query: str, text: str | None = "As the source says", **body: Any) -> dict[str, Any]:
    done = who.post(f"/queries/{query}/{action}", body if text is None else {"text": text} | body)
    assert done.status_code == 200, done.text
    return dict(done.json())


def asks(who: Person, subject: str, item: str = "hb", text: str = "Please check", **more: Any) -> dict[str, Any]:
    body = {"subject": subject, "visit": "SCR", "form": "labs", "item": item, "text": text} | more
    opened = who.post("/queries", body)
    assert opened.status_code == 201, opened.text
    return dict(opened.json())


class Page:
    """The laboratory page of one subject, saved again and again with another haemoglobin; below 50 is questioned."""

    def __init__(self, trial: Trial, subject: str | None = None) -> None:
        self.trial = trial
        self.subject = subject or trial.nurse.subject()
        self.revision = 0

    def enter(self, hb: Any, **answers: Any) -> dict[str, Any]:
        page = LABS | {"hb": hb} | answers
        saved = self.trial.nurse.enter(
            self.subject, "SCR", "labs", page, revision=self.revision, reason="Read again" if self.revision else None
        )
        self.revision = saved["revision"]
        return saved

    def void(self) -> None:
        path = f"/subjects/{self.subject}/visits/SCR/forms/labs/void"
        headers = {"If-Match": f'"{self.revision}"'}
        struck = self.trial.nurse.post(path, {"reason": "Other patient"}, headers=headers)
        assert struck.status_code == 200, struck.text
        self.revision = struck.json()["revision"]

    def query(self) -> str:
        """The one query that the rule has opened."""
        (found,) = (each for each in listed(self.trial.manager) if each["rule"] == "soft_min")
        return str(found["query"])

    def state(self) -> str:
        return str(thread(self.trial.manager, self.query())["state"])
