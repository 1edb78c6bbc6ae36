"""The report of the fault matrix says what the results say, and no text in them can change the page."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.checks.check import FAIL, PASS, UNKNOWN
from tests.checks.fate import ABSENT, DOUBLED, KEPT, LOST, MISPLACED
from tests.checks.history import ACKNOWLEDGED, REFUSED
from tests.checks.recovery import Band, Recovery
from tests.matrix.report import PAGE, as_json, as_page, write_report
from tests.matrix.results import CheckVerdict, Counts, Result, SentTurn
from tests.matrix.summary import LEFT_OUT, NOT_RUN, RASA, STEADFAST, Matrix, PlannedCell, spread
from tests.matrix.timeline import KINDS, LEFT_BEHIND, kind, timeline

OURS = PlannedCell("redis", STEADFAST, "power-cut", "power cut")
THEIRS = replace(OURS, tracker_store_class=RASA)
CONTROL = PlannedCell("redis", STEADFAST, "power-cut-everysec", "power cut, everysec", is_control=True)
TURN = SentTurn("a1", "remember a1-1", ACKNOWLEDGED, KEPT, 1000.0, 0.25, 1, None)
HOSTILE = "</script><script>alert('x')</script><!--<img src=x onerror=alert(1)>"
# As many as the proof takes.
ENOUGH = Counts(turns=10_000, acknowledged=10_000, faults=300)


def result(cell: PlannedCell = OURS, **changed: Any) -> Result:
    """Make a run of a cell that went well, but for what is changed."""
    good = Result(
        store=cell.store,
        tracker_store_class=cell.tracker_store_class,
        fault=cell.fault,
        title=cell.title,
        is_control=cell.is_control,
        commit="0123456789ab",
        seed=7,
        rounds=1,
        system="debian-12",
        server="Redis 7.0.15",
        command=f"make faults STORE={cell.store} FAULT={cell.fault} SEED=7",
        started=990.0,
        seconds=30.0,
        bands=(Band(1001.0, 1001.1, 1002.0, 1003.5, "started again"),),
        turns=(TURN,),
        verdicts=(CheckVerdict("no_turn_lost", PASS, ()),),
        counts=ENOUGH,
        recovery=(Recovery(0.5, 1.0, 0),),
        outcome=PASS,
        trouble=None,
    )
    return replace(good, **changed)


def failed(cell: PlannedCell = OURS, *, lost: int = 0, doubled: int = 0, out_of_order: int = 0) -> Result:
    """Make a run of a cell that lost, doubled or misplaced turns."""
    sentence = "the acknowledged turn 'remember a1-1' is missing."
    verdicts = (CheckVerdict("no_turn_lost", FAIL, (sentence,)),)
    counts = replace(ENOUGH, lost=lost, doubled=doubled, out_of_order=out_of_order)
    return result(cell, outcome=FAIL, counts=counts, verdicts=verdicts)


class Page(HTMLParser):
    """What a browser would make of a page, as far as it matters here."""

    def __init__(self, text: str) -> None:
        """Read it."""
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        """Note a text: a script's, or what can be read."""
        if self.elements and self.elements[-1][0] == "script" and self.cdata_elem == "script":
            self.scripts[-1] += data
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All that can be read, with single spaces."""
        return " ".join(" ".join(self.texts).split())

    @property
    def data(self) -> dict[str, Any]:
        """The data that the scripts draw."""
        found: dict[str, Any] = json.loads(self.scripts[0])
        return found

    def buttons(self, cell: PlannedCell) -> list[dict[str, str | None]]:
        """Return the attributes of the buttons that open a cell."""
        key = "/".join(cell.key)
        return [
            attributes for tag, attributes in self.elements if tag == "button" and attributes.get("data-key") == key
        ]


def page_of(*runs: Result, cells: tuple[PlannedCell, ...] = (OURS, THEIRS, CONTROL)) -> Page:
    """Make the page of some runs."""
    return Page(as_page(Matrix(runs, cells), "0123456789ab"))


CAUGHT = failed(CONTROL, lost=9)


def test_everything_kept_and_every_control_caught_is_the_proof() -> None:
    """Whatever Rasa's own class loses."""
    matrix = Matrix([result(), failed(THEIRS, lost=40), CAUGHT], [OURS, THEIRS, CONTROL])
    assert (matrix.outcome, list(matrix.remarks())) == (PASS, [])
    assert matrix.headline == "No turn was lost, doubled or misplaced."
    assert matrix.totals(STEADFAST).counts == ENOUGH
    assert matrix.totals(RASA).counts.lost == 40


def test_lost_turn_is_in_headline_cell_and_data() -> None:
    """With its number, and the sentence of the check."""
    lost = replace(failed(lost=1), turns=(replace(TURN, fate=LOST),))
    page = page_of(lost, CAUGHT)
    assert "1 lost: a promise was broken." in page.text
    (button,) = page.buttons(OURS)
    assert button["data-state"] == FAIL
    assert button["aria-label"] == "power cut, Redis 7.0.15, Steadfast: 1 lost of 10,000 acknowledged turns."
    (cell,) = [each for each in page.data["cells"] if each["fault"] == "power-cut" and each["runs"]]
    (run,) = cell["runs"]
    assert run["verdicts"][0]["details"] == ["the acknowledged turn 'remember a1-1' is missing."]
    assert [page.data["kinds"][number] for number in run["timeline"]["turns"]["kind"]] == [LOST]


@pytest.mark.parametrize(
    ("counts", "mark"),
    [
        (Counts(lost=1200, doubled=1), "1,200"),
        (Counts(doubled=3), "3 twice"),
        (Counts(out_of_order=2), "2 moved"),
        (Counts(), "wrong"),
    ],
)
def test_mark_of_a_failed_cell(counts: Counts, mark: str) -> None:
    """How many were lost, or what else is wrong."""
    assert [each.mark for each in Matrix([replace(failed(), counts=counts)], [OURS]).cells] == [mark]


def test_failure_without_a_number_is_told_by_its_check() -> None:
    """Such as an answer that does not follow from what is stored."""
    (cell,) = Matrix([failed()], [OURS]).cells
    assert cell.sentence == "A check failed: the acknowledged turn 'remember a1-1' is missing."


def test_control_that_is_not_caught_convicts_the_matrix() -> None:
    """However green it is."""
    matrix = Matrix([result(), result(CONTROL)], [OURS, CONTROL])
    assert matrix.outcome == FAIL
    assert matrix.headline == "1 control not caught: this proves nothing."
    assert "Control not caught: power cut, everysec." in " ".join(matrix.remarks())
    page = page_of(result(), result(CONTROL))
    assert "✕ not caught" in page.text
    assert "✓ caught" not in page.text


def test_control_that_was_not_run_is_not_caught() -> None:
    """It proves nothing yet."""
    matrix = Matrix([result()], [OURS, CONTROL])
    assert (matrix.outcome, [each.state for each in matrix.controls]) == (UNKNOWN, [NOT_RUN])
    assert "Control not caught: power cut, everysec. Not run yet." in matrix.remarks()


def test_control_that_is_a_cell_of_the_table_is_in_both() -> None:
    """Others, of other setups, are among the controls only."""
    theirs = replace(THEIRS, is_control=True)
    matrix = Matrix([result(), failed(theirs, lost=3), CAUGHT], [OURS, theirs, CONTROL])
    assert [each.cell for each in matrix.cells] == [OURS, theirs]
    assert [each.cell for each in matrix.controls] == [theirs, CONTROL]
    assert len(page_of(failed(theirs, lost=3), cells=(OURS, theirs, CONTROL)).buttons(theirs)) == 2


def test_cell_that_is_left_out_is_named_with_its_reason() -> None:
    """And counts as nothing."""
    reason = "SQLite is a file: it has no server."
    left_out = PlannedCell("sqlite", STEADFAST, "power-cut", "power cut", left_out=reason)
    page = page_of(result(), CAUGHT, cells=(OURS, left_out, CONTROL))
    assert reason in page.text
    (button,) = page.buttons(left_out)
    assert button["data-state"] == LEFT_OUT
    assert str(button["aria-label"]).endswith(f"Left out: {reason}")
    totals = Matrix([result(), CAUGHT], [OURS, left_out, CONTROL]).totals(STEADFAST)
    assert (totals.states[PASS], totals.states[LEFT_OUT]) == (1, 1)


def test_cell_that_was_not_run_keeps_the_matrix_open() -> None:
    """It is neither passed nor failed."""
    cells = [replace(cell, fault="reboot", title="reboot") for cell in (OURS, THEIRS)]
    matrix = Matrix([result(), CAUGHT], [OURS, *cells, CONTROL])
    assert matrix.outcome == UNKNOWN
    assert matrix.headline == "No turn was lost, doubled or misplaced, so far."
    assert list(matrix.remarks()) == ["1 cell not run yet.", "1 cell of Rasa's own class not run yet."]


def test_trouble_is_told() -> None:
    """A run that was not carried through says nothing."""
    trouble = "The host store did not come back after the reboot."
    run = result(outcome=UNKNOWN, trouble=trouble, turns=(), bands=(), recovery=(), verdicts=(), counts=Counts())
    page = page_of(run, CAUGHT)
    (button,) = page.buttons(OURS)
    assert button["data-state"] == UNKNOWN
    assert trouble in str(button["aria-label"])
    assert "Nothing was judged yet." in page.text


def test_turns_that_were_not_judged_do_not_count() -> None:
    """Nothing is known of them: neither that they are there, nor that they are not."""
    matrix = Matrix([result(), result(outcome=UNKNOWN)], [OURS])
    assert matrix.totals(STEADFAST).counts == ENOUGH


def test_too_few_faults_or_turns_are_no_proof() -> None:
    """Issue 5 says how many it takes."""
    matrix = Matrix([result(counts=Counts(acknowledged=9_999, faults=299)), CAUGHT], [OURS, CONTROL])
    assert matrix.outcome == UNKNOWN
    assert list(matrix.remarks()) == [
        "299 faults of the 300 that it takes.",
        "9,999 acknowledged turns of the 10,000 that it takes.",
    ]


def test_runs_of_a_cell_add_up() -> None:
    """And one that failed is not made good by others."""
    (cell,) = Matrix([result(), failed(lost=2), result(seed=8)], [OURS]).cells
    assert cell.counts == replace(ENOUGH, turns=30_000, acknowledged=30_000, lost=2, faults=900)
    assert (cell.state, len(cell.runs)) == (FAIL, 3)


def test_result_that_nobody_planned_is_shown() -> None:
    """Such as one of a cell that this version does not know any more."""
    assert [each.state for each in Matrix([result()], []).cells] == [PASS]


def test_text_of_a_result_stays_text() -> None:
    """It neither ends the data, nor becomes an element, nor is it lost."""
    hostile = replace(OURS, title=HOSTILE, fault="hostile")
    turns = (replace(TURN, text=HOSTILE, sender=HOSTILE, status=REFUSED, fate=ABSENT, error=HOSTILE),)
    run = result(hostile, turns=turns, trouble=HOSTILE, outcome=UNKNOWN, server=HOSTILE, command=HOSTILE)
    page = page_of(run, CAUGHT, cells=(hostile, replace(hostile, store="sqlite", left_out=HOSTILE)))
    plain = page_of(result(), CAUGHT)
    assert len(page.scripts) == len(plain.scripts) == 2
    assert page.scripts[1] == plain.scripts[1]
    assert "img" not in {tag for tag, _ in page.elements}
    drawn = page.data["cells"][0]["runs"][0]["timeline"]
    assert (drawn["turns"]["text"], drawn["senders"], drawn["errors"]) == ([HOSTILE], [HOSTILE], [HOSTILE])


def test_page_needs_nothing_but_itself() -> None:
    """No address of anything outside is in it, and the browser is told to fetch nothing."""
    page = page_of(result(), CAUGHT)
    links = [attributes[name] for _, attributes in page.elements for name in ("src", "href") if name in attributes]
    assert sorted(str(link) for link in links) == ["#controls", "data:,", "faults.json"]
    policies = [
        attributes["content"] for tag, attributes in page.elements if tag == "meta" and "http-equiv" in attributes
    ]
    assert "default-src 'none'" in str(policies)
    assert "@import" not in (PAGE / "style.css").read_text()


def test_json_has_everything_but_the_turns(tmp_path: Path) -> None:
    """Those are in the files of the results, which it names."""
    page = write_report([result(), CAUGHT], [OURS, THEIRS, CONTROL], tmp_path / "reports", "0123456789ab")
    assert page == tmp_path / "reports" / "faults.html"
    found = json.loads((tmp_path / "reports" / "faults.json").read_text())
    assert found == json.loads(json.dumps(as_json(Matrix([result(), CAUGHT], [OURS, THEIRS, CONTROL]), "0123456789ab")))
    assert (found["outcome"], found["controls"]) == (UNKNOWN, {"caught": 1, "of": 1})
    assert found["totals"]["steadfast"]["acknowledged"] == 10_000
    (run,) = found["cells"][0]["runs"]
    assert run["file"] == "faults/0123456789ab/redis-steadfast-power-cut-7.json"
    assert "turns" not in run


@pytest.mark.parametrize(
    ("status", "fate", "drawn"),
    [
        (ACKNOWLEDGED, KEPT, ACKNOWLEDGED),
        (ACKNOWLEDGED, LOST, LOST),
        (ACKNOWLEDGED, ABSENT, LOST),
        (ACKNOWLEDGED, DOUBLED, DOUBLED),
        (ACKNOWLEDGED, MISPLACED, MISPLACED),
        (REFUSED, ABSENT, REFUSED),
        (REFUSED, KEPT, LEFT_BEHIND),
        (UNKNOWN, KEPT, UNKNOWN),
        (UNKNOWN, ABSENT, UNKNOWN),
        (UNKNOWN, DOUBLED, DOUBLED),
    ],
)
def test_what_a_turn_is_drawn_as(status: str, fate: str, drawn: str) -> None:
    """What is wrong with it, or else its status."""
    assert kind(replace(TURN, status=status, fate=fate)) == drawn


def test_page_has_a_mark_for_every_kind() -> None:
    """By the same name in the script that draws them and in the colours."""
    script, style = ((PAGE / name).read_text() for name in ("chart.js", "style.css"))
    for name in KINDS:
        assert f"{name}: {{ shape" in script.replace('"', "")
        assert f'[data-kind="{name}"]' in style


def test_timeline_begins_with_the_first_turn() -> None:
    """In milliseconds, turns in the order sent, users in that of their numbers."""
    turns = (
        replace(TURN, sender="a10", started=1002.0, error="connection closed"),
        replace(TURN, sender="a2", started=1000.5),
    )
    drawn = timeline(result(turns=turns))
    assert drawn["senders"] == ["a2", "a10"]
    assert drawn["turns"]["sender"] == [0, 1]
    assert drawn["turns"]["sent"] == [0, 1500]
    assert drawn["turns"]["error"] == [None, 0]
    assert drawn["bands"] == [{"injected": 500, "heal": 1500, "healed": 3000, "cure": "started again"}]


def test_recovery_that_never_came_is_no_number() -> None:
    """It is told as never, whatever the others took."""
    runs = [result(recovery=(Recovery(0.5, 1.0, 0), Recovery(None, None, 3), Recovery(2.5, 1.0, 0)))]
    (cell,) = Matrix(runs, [OURS]).cells
    assert cell.first_acknowledged == (1.5, 2.5, 1)
    assert cell.recovery_mark == "never"
    assert spread([None]) == (None, None, 1)
