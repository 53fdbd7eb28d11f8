# ruff: noqa: E501 - one case per line
import pytest
from pydantic import ValidationError

from app.clinical.endpoints.check import check
from app.clinical.endpoints.definition import Endpoint, Gap, Milestone, Outcome, Rate, Variant
from app.clinical.endpoints.milestones import Milestones

W = {"en": "x", "zh": "x"}
PAGE = {"from": [{"form": "f", "date": "d"}]}


def milestone(name="m", **keys):
    return Milestone(**{"name": name, "label": W, **keys})


def captured(name, **keys):
    return milestone(name, **PAGE, **keys)


def endpoint(**keys):
    given = {"code": "OS", "label": W, "origin": "zero", "outcomes": [{"event": "death"}], "censor": ["seen"]}
    return Endpoint(**{**given, **keys})


@pytest.mark.parametrize(
    ("keys", "remedy"),
    [
        ({}, "Say where it comes from"),
        ({"of": "a"}, "Say where it comes from"),
        ({**PAGE, "first": "a"}, "take away `from` or the operator"),
        ({**PAGE, "of": "a"}, "take away `from` or the operator"),
        ({**PAGE, "impute": "death"}, "needs `alive`"),
        ({**PAGE, "impute": "relapse"}, "needs `not_before_last`"),
        ({**PAGE, "impute": "ae_start"}, "needs `lower_bound`"),
        ({**PAGE, "alive": "a"}, "read only with"),
        ({"first": "a", "last": "b"}, "split it into two"),
        ({"of": "a", "after": "b", "offset_days": 3}, "split it into two"),
        ({"after": "b"}, "needs `of`"),
        ({"gap": {"days": 3}}, "needs `of`"),
        ({"of": "a", "any_of": ["b"]}, "take it away"),
        ({"of": "a", "confirmed_by": "b"}, "belong together"),
        ({"of": "a", "after": "b", "within_days": [1, 2]}, "belong together"),
        ({"of": "a", "confirmed_by": "b", "within_days": [2, 1]}, "swap them"),
        ({"first": "a", "once": True}, "move them there"),
        ({"first": "a", "impute": "ae_end"}, "move them there"),
        ({"first": "a", "alive": "b"}, "move them there"),
        ({"first": "a", "after_cutoff": "clamp"}, "move them there"),
        ({"any_of": []}, "at least 1"),
        ({"first": "A"}, "pattern"),
        ({**PAGE, "twice": True}, "Extra inputs"),
        ({"from": [{"form": "f", "date": "d", "undated": True}]}, "say in `when` on which pages"),
    ],
)
def test_a_malformed_milestone_is_refused_with_a_remedy(keys, remedy):
    with pytest.raises(ValidationError, match=remedy):
        milestone(**keys)


@pytest.mark.parametrize(
    "gap", [{}, {"missed": 2}, {"missed": 2, "visits": ["V"], "days": 3}, {"visits": ["V"], "days": 3}]
)
def test_a_gap_is_measured_one_way(gap):
    with pytest.raises(ValidationError, match="one way"):
        Gap(**gap)


@pytest.mark.parametrize(
    ("make", "remedy"),
    [
        (Outcome, "one milestone"),
        (lambda: Outcome(event="a", competing="b"), "one milestone"),
        (lambda: endpoint(code="TOOLONGCODE"), "pattern"),
        (lambda: endpoint(outcomes=[]), "at least 1"),
        (lambda: endpoint(censor=[]), "at least 1"),
        (lambda: endpoint(truncate_day=-1), "greater than or equal"),
        (lambda: endpoint(variant=[{"code": "V", "label": W}, {"code": "V", "label": W}]), "its own code"),
        (lambda: Variant(code="PRIMARY", label=W), "another code"),
        (lambda: Variant(code="V", label=W, entry="a", without=["entry"]), "keep one"),
        (lambda: Rate(code="R", label=W, population=["a"], responder=["b"], by_day=30), "name the `origin`"),
    ],
)
def test_a_malformed_endpoint_is_refused_with_a_remedy(make, remedy):
    with pytest.raises(ValidationError, match=remedy):
        make()


def test_a_variant_replaces_keys_as_a_whole_and_takes_keys_away():
    one = endpoint(
        truncate_day=100,
        redate_to_origin=["death"],
        variant=[
            {
                "code": "V",
                "label": {"en": "v", "zh": "v"},
                "outcomes": [{"competing": "other"}],
                "redate_to_origin": [],
            },
            {"code": "W", "label": W, "without": ["truncate_day", "redate_to_origin"]},
        ],
    )
    (code, words, primary), (_, _, first), (_, _, second) = one.resolved()
    assert (code, words, primary.truncate_day) == ("PRIMARY", one.label, 100)
    assert [outcome.milestone for outcome in first.outcomes] == ["other"]
    assert (first.redate_to_origin, first.truncate_day, first.censor) == ((), 100, ("seen",))
    assert (second.truncate_day, second.redate_to_origin) == (None, ())


SOUND = [captured("zero"), captured("death", once=True), captured("seen")]


def test_what_fits_together_has_no_finding():
    relapse = captured("relapse", impute="relapse", not_before_last="seen")
    assert check([*SOUND, relapse], [endpoint(censor=["last_alive"], redate_to_origin=["death"])]) == []


@pytest.mark.parametrize(
    ("milestones", "endpoints", "rates", "place", "remedy"),
    [
        ([captured("zero")], [], [], "milestone zero", "given twice"),
        ([], [endpoint(), endpoint()], [], "endpoint or rate OS", "given twice"),
        ([], [endpoint()], [Rate(code="OS", label=W, population=["zero"], responder=["death"])], "endpoint or rate OS", "twice"),
        ([captured("origin")], [], [], "milestone origin", "built in"),
        ([captured("last_alive")], [], [], "milestone last_alive", "built in"),
        ([milestone("x", any_of=["zero", "nowhere"])], [], [], "milestone x.any_of[1]", "no milestone `nowhere`"),
        ([milestone("x", of="zero", absent_by={"landmark": "nowhere"})], [], [], "milestone x.absent_by.landmark", "no milestone"),
        ([milestone("x", of="zero", absent_by={"landmark": "origin", "assessed": "origin"})], [], [],
         "milestone x.absent_by.assessed", "a date to compare with"),
        ([milestone("x", first="origin")], [], [], "milestone x.first", "a date to compare with"),
        ([milestone("x", any_of=["origin"])], [], [], "milestone x.any_of[0]", "a date to compare with"),
        ([captured("x", impute="relapse", not_before_last="nowhere")], [], [], "milestone x.not_before_last", "no milestone"),
        ([milestone("y", first="seen"), captured("x", impute="relapse", not_before_last="y")], [], [],
         "milestone x.not_before_last", "read from pages"),
        ([milestone("x", first="y"), milestone("y", last="x")], [], [], "milestone x", "break the circle"),
        ([milestone("x", of="seen", after="x")], [], [], "milestone x", "break the circle"),
        ([], [endpoint(origin="nowhere")], [], "endpoint OS PRIMARY.origin", "no milestone"),
        ([], [endpoint(population=["nowhere"])], [], "endpoint OS PRIMARY.population", "no milestone"),
        ([], [endpoint(censor=["nowhere"])], [], "endpoint OS PRIMARY.censor", "no milestone"),
        ([], [endpoint(entry="nowhere")], [], "endpoint OS PRIMARY.entry", "no milestone"),
        ([], [endpoint(censor_at=[{"milestone": "nowhere"}])], [], "endpoint OS PRIMARY.censor_at", "no milestone"),
        ([], [endpoint(censor_at=[{"milestone": "seen", "at": "nowhere"}])], [], "endpoint OS PRIMARY.censor_at", "no milestone"),
        ([], [endpoint(outcomes=[{"event": "death"}, {"competing": "death"}])], [], "endpoint OS PRIMARY.outcomes", "listed twice"),
        ([], [endpoint(redate_to_origin=["seen"])], [], "endpoint OS PRIMARY.redate_to_origin", "is no outcome"),
        ([], [endpoint(variant=[{"code": "V", "label": W, "origin": "nowhere"}])], [], "endpoint OS V.origin", "no milestone"),
        ([milestone("x", of="seen", after="origin")], [endpoint(origin="x")], [], "endpoint OS PRIMARY.origin", "not known yet"),
        ([milestone("x", of="seen", gap={"days": 3}), milestone("y", first="x")], [endpoint(population=["y"])], [],
         "endpoint OS PRIMARY.population", "not known yet"),
        ([], [], [Rate(code="R", label=W, population=["zero"], responder=["nowhere"])], "rate R.responder", "no milestone"),
        ([], [], [Rate(code="R", label=W, population=["zero"], responder=["seen"], origin="nowhere")], "rate R.origin", "no milestone"),
        ([milestone("x", of="seen", after="origin")], [], [Rate(code="R", label=W, population=["zero"], responder=["x"])],
         "rate R.responder", "not known yet"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_found_at_its_place(milestones, endpoints, rates, place, remedy):
    findings = check([*SOUND, *milestones], endpoints, rates)
    assert any(found == place and remedy in message for found, message in findings), findings


def test_the_time_zero_may_be_compared_with():
    x = milestone("x", of="seen", on_or_after="origin")
    y = milestone("y", of="seen", absent_by={"landmark": "origin", "offset_days": 30})
    rate = Rate(code="R", label=W, population=["zero"], responder=["x"], origin="zero", by_day=30)
    assert check([*SOUND, x, y], [endpoint(outcomes=[{"event": "x"}, {"event": "y"}])], [rate]) == []


def test_what_proves_life_is_what_endpoints_are_made_of():
    """Once facts, and whatever an endpoint or one of its variants names, down to the pages; nothing else."""
    given = [
        *SOUND,
        captured("cr"),
        captured("neg"),
        milestone("deep", of="cr", confirmed_by="neg", within_days=[1, 90]),
        milestone("late", of="seen", after="origin"),
        captured("entered"),
        captured("left_aside"),
        captured("dose"),
    ]
    told = endpoint(
        population=["deep"],
        outcomes=[{"event": "death"}, {"competing": "late"}],
        variant=[{"code": "V", "label": W, "population": ["entered"], "censor": ["last_alive"]}],
    )
    clinical = {"zero", "death", "seen", "cr", "neg", "deep", "late", "entered", "last_alive"}
    assert Milestones(given, [told]).proof == clinical
    assert Milestones(given, []).proof == {"death", "last_alive"}
    assert Milestones(given).proof == clinical | {"left_aside", "dose"}
