"""What was measured, for the terminal."""

from __future__ import annotations

from rich.table import Table

from tests.benchmark.figures import MEMORY, RASA, STEADFAST, Figures, Promise


def costs(figures: Figures) -> Table:
    """Makes the table of the store work of a turn."""
    table = Table(title=f"{figures.store}: store work of a turn, milliseconds, median")
    table.add_column("history, turns")
    for heading in ("Rasa", "Steadfast", "times cheaper", "cold retrieve: Rasa", "Steadfast"):
        table.add_column(heading, justify="right")
    shapes = dict.fromkeys(point.shape for point in figures.points)
    for shape in shapes:
        for point in figures.shape(shape):
            numbers = (point.known[RASA], point.known[STEADFAST], point.ratio, point.cold[RASA], point.cold[STEADFAST])
            table.add_row(f"{point.turns}, {shape}", *map(number, numbers))
        table.add_section()
    new = figures.new
    table.add_row("none, first 10 turns", *map(number, (new[RASA], new[STEADFAST], new[RASA] / new[STEADFAST])), "", "")
    return table


def rates(figures: Figures) -> Table:
    """Makes the table of the whole bot under load."""
    table = Table(title=f"{figures.store}: whole bot, 8 users at once, turns 26 to 50, turns a second, median")
    for heading in ("Rasa's memory", f"Rasa's {figures.store}", f"Steadfast's {figures.store}"):
        table.add_column(heading, justify="right")
    table.add_row(*(number(figures.load[name]) for name in (MEMORY, RASA, STEADFAST)))
    return table


def trips(figures: Figures) -> Table:
    """Makes the table of the round trips of a turn; a store in a file has none."""
    table = Table("round trips of a turn, counted", title=f"{figures.store}: a known conversation, no error")
    for heading in ("Rasa", "Steadfast"):
        table.add_column(heading, justify="right")
    for kind in ("without", "with"):
        counts = (figures.round_trips.get(name, {}).get(kind) for name in (RASA, STEADFAST))
        table.add_row(f"{kind} a message_id", *("" if count is None else f"{count:g}" for count in counts))
    return table


def verdicts(store: str, promises: list[Promise]) -> Table:
    """Makes the table of what is promised beside what was measured."""
    table = Table("promise", title=f"{store}: promises")
    table.add_column("measured", justify="right")
    table.add_column("")
    for promise in promises:
        table.add_row(promise.what, number(promise.measured), "met" if promise.is_met else "MISSED")
    return table


def number(value: float) -> str:
    """Writes a number with two decimal places, or none from a hundred on."""
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"
