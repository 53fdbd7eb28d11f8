"""Which passwords are taken, how they are kept, and how often one may be tried."""

import doctest
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access import attempts, passwords, usernames
from app.core.errors import Unavailable

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "password",
    [
        "password1234", "Passw0rd!2026", "qwertyuiop[]", "1234567890123", "987654321098", "abcdefghijklmn",
        "aaaaaaaaaaaa", "ababababababab", "Welcome2026!!", "letmein letmein", "administrator1", "1qaz2wsx3edc",
        "li.na2026 Xz7", "qazwsxqazwsx", "hospital 2026", "P@$$w0rdP@$$w0rd", "marrow-marrow-1",
        "ｐａｓｓｗｏｒｄ１２３４",
    ],
)  # fmt: skip
def test_what_everybody_tries_first_is_not_taken(password: str) -> None:
    assert [fault.code for fault in passwords.faults(password, "li.na")] == ["guessable"]


@pytest.mark.parametrize(
    "password",
    [
        "seven grey herons wade",
        "Tr0ub4dor&3xyz",
        "四月的西湖边有很多白鹭飞过",
        "kQ9-vv2L-pp0x",
        "        spaces are fine",
    ],
)
def test_length_is_enough_and_no_mixture_is_asked_for(password: str) -> None:
    assert passwords.faults(password, "li.na") == []


def test_eleven_characters_are_too_few_and_more_than_1024_bytes_too_many() -> None:
    assert [fault.code for fault in passwords.faults("kQ9-vv2L-pp", "li.na")] == ["too-short"]
    assert passwords.faults("kQ9-vv2L-" + "界林" * 169, "li.na") == []
    assert [fault.code for fault in passwords.faults("kQ9-vv2L-" + "界林" * 170, "li.na")] == ["too-long"]


def test_a_fault_never_repeats_the_password() -> None:
    for password in ("password1234", "x", "y" * 5000):
        assert all(password not in repr(fault) for fault in passwords.faults(password, "li.na") if len(password) > 1)


def test_a_password_matches_however_its_characters_were_composed() -> None:
    stored = passwords.hashed("caf\u00e9 am see, zwölf")
    assert passwords.matches(stored, "cafe\u0301 am see, zwo\u0308lf")
    assert not passwords.matches(stored, "cafe am see, zwolf")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not passwords.outdated(stored)


def test_without_a_stored_hash_nothing_matches_after_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    verify = passwords._HASHER.verify  # noqa: SLF001

    class Counting:
        def verify(self, stored: str, given: str) -> bool:
            seen.append(stored.rsplit("$", 2)[0])
            return verify(stored, given)

    known = passwords.hashed("seven grey herons wade")
    passwords.matches(None, "warm up")
    monkeypatch.setattr(passwords, "_HASHER", Counting())
    assert not passwords.matches(None, "seven grey herons wade")
    assert not passwords.matches(known, "another one entirely")
    assert seen[0] == seen[1] == "$argon2id$v=19$m=19456,t=2,p=1"


@pytest.mark.parametrize("stored", ["", "plain", "$argon2id$v=19$broken", "$2b$12$abcdefghijklmnopqrstuv"])
def test_a_hash_that_is_none_matches_nothing(stored: str) -> None:
    assert not passwords.matches(stored, "plain")
    assert not passwords.matches(stored, "")


def test_at_most_four_are_computed_at_once_and_the_fifth_is_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_PATIENCE", 0.01)
    turns = [passwords._turn() for _ in range(5)]  # noqa: SLF001
    for turn in turns[:4]:
        turn.__enter__()
    try:
        with pytest.raises(Unavailable) as refused:
            passwords.matches(None, "anything")
        assert refused.value.headers["Retry-After"] == "5"
    finally:
        for turn in turns[:4]:
            turn.__exit__(None, None, None)
    assert not passwords.matches(None, "anything")


@given(st.text(max_size=70))
def test_folding_a_user_name_twice_changes_nothing(name: str) -> None:
    once = usernames.folded(name)
    assert usernames.folded(once) == once or not usernames.well_formed(name)


@given(st.text(min_size=2, max_size=64))
def test_a_well_formed_name_has_only_letters_that_can_be_told_apart(name: str) -> None:
    if usernames.well_formed(name):
        assert all(
            character in "abcdefghijklmnopqrstuvwxyz0123456789._-@" or "\u4e00" <= character <= "\u9fff"
            for character in usernames.folded(name)
        )


@pytest.mark.parametrize("name", ["li.na", "李娜", "Ward-3@zju.edu.cn", "0a", "ＬＩ"])
def test_usual_names_are_well_formed(name: str) -> None:
    assert usernames.well_formed(name)


def test_four_failures_refuse_nothing_and_five_do_until_the_first_is_old() -> None:
    times = [NOON - timedelta(minutes=minutes) for minutes in (0, 1, 2, 3, 14)]
    assert attempts.refused_until(times[:4], NOON) is None
    assert attempts.refused_until(times, NOON) == NOON + timedelta(minutes=1)
    assert attempts.refused_until(times, NOON + timedelta(minutes=1)) is None


def test_ten_failures_lock_unless_a_day_lay_between_two() -> None:
    times = [NOON - timedelta(hours=hours) for hours in range(10)]
    assert attempts.refused_until(times, NOON) == NOON + timedelta(hours=24)
    apart = [NOON - timedelta(hours=25 * days) for days in range(10)]
    assert attempts.refused_until(apart, NOON) is None


@given(st.lists(st.integers(0, 3000), max_size=12), st.integers(0, 3000))
def test_one_more_failure_never_opens_a_name_earlier(minutes: list[int], later: int) -> None:
    times = sorted((NOON + timedelta(minutes=minute) for minute in minutes), reverse=True)
    now = NOON + timedelta(minutes=max([later, *minutes]))
    before, after = attempts.refused_until(times, now), attempts.refused_until([now, *times], now)
    assert before is None or (after is not None and after >= min(before, now + attempts.WINDOW))


def test_the_example_in_the_words_of_the_rule_holds() -> None:
    assert doctest.testmod(attempts).failed == 0
