"""Clients that write down what they send before they send it, and what came back: the other side of a promise."""

import threading
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx2

STUDY = "TRIAL"
ENROLLED = date(2024, 1, 10)


@dataclass
class Intent:
    """One save of one page. `outcome` is acked, refused, or unknown until an answer has been read to its end."""

    repeat: int
    revision: int
    answers: dict[str, Any]
    outcome: str = "unknown"
    status: int | None = None


@dataclass
class Client:
    """Somebody who enters pages of one subject, one after the other; each third save corrects the page before it."""

    address: str
    token: str
    subject: str
    intents: list[Intent] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        with httpx2.Client(base_url=self.address, timeout=20, trust_env=False) as client:
            while not stop.is_set():
                intent = self._next()
                self.intents.append(intent)
                self._send(client, intent)
                if intent.outcome == "unknown":
                    stop.wait(0.05)

    def _next(self) -> Intent:
        last = self.intents[-1] if self.intents else None
        if last is not None and last.outcome == "acked" and last.revision == 1 and last.repeat % 2 == 0:
            return Intent(last.repeat, 2, last.answers | {"hb": "71.5"})
        repeat = 1 if last is None else last.repeat + 1
        day = ENROLLED + timedelta(days=repeat)
        return Intent(repeat, 1, {"sample_date": day.isoformat(), "hb": f"{50 + repeat % 100}.25"})

    def _send(self, client: httpx2.Client, intent: Intent) -> None:
        seen = {"If-None-Match": "*"} if intent.revision == 1 else {"If-Match": f'"{intent.revision - 1}"'}
        try:
            answer = client.put(
                f"/api/v1/studies/{STUDY}/subjects/{self.subject}/visits/UNS.{intent.repeat}/forms/labs",
                json={"answers": intent.answers, "reason": "Entered by the ledger"},
                headers={"Authorization": f"Bearer {self.token}"} | seen,
            )
        except httpx2.TransportError:
            return
        intent.status = answer.status_code
        if answer.is_success:
            intent.outcome = "acked"
        elif 400 <= answer.status_code < 500:
            intent.outcome = "refused"

    def of(self, outcome: str) -> list[Intent]:
        return [intent for intent in self.intents if intent.outcome == outcome]

    def strange(self) -> list[int]:
        """Answers that are neither success nor refusal nor `try again`."""
        return [i.status for i in self.of("unknown") if i.status not in {None, 503}] + [
            i.status for i in self.of("refused") if i.status is not None
        ]
