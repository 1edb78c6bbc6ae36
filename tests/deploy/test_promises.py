"""The promises of docs/turns.md on a deployed bot with a real server: users talk while something breaks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from control.bot import COMMAND
from tests.checks.check import FAIL, PASS, run_checks
from tests.checks.history import ACKNOWLEDGED
from tests.conftest import Deployed
from tests.deploy.switched import Switch
from tests.kit import run
from tests.load.crowd import Crowd
from tests.load.plan import RETRYING
from tests.load.readings import export, read_store
from tests.machines import DEFAULT_SYSTEM
from tests.promises.another_rasa import AnotherRasa
from tests.promises.bed import NO_ANSWER, SEED, Bed
from tests.promises.shared import histories, users_of_one
from tests.stores import cases, definition, known

# The store that a bot has without being switched.
DEFAULT_STORE = "redis"
# What happens to the server, and for how many seconds it is left so.
SERVER_FAULTS = {"restart": 0.0, "kill": 0.0, "stop": 3.0}
# What holds of each user's part of a conversation that others have, too.
OF_ONE_USER = ("no_turn_lost", "no_turn_doubled", "order_kept", "answers_stored", "one_session")
REMINDED = "This is your reminder"
TRACKERS = Path(__file__).parents[1] / "promises" / "trackers.py"
SLOT = {"event": "slot", "name": "note", "value": "put"}
# Of the other Rasa processes, one after the other.
IMPATIENT_PORT, PORT = 5006, 5007


def has_own_class(store: str, system: str) -> bool:
    """Tell whether a store's server is the kit's, and its class, too; on the system that is tried first."""
    found = definition(store)
    return bool(found["server_role"] and found.get("steadfast_type") and known(store)["systems"][0] == system)


one_store = pytest.mark.parametrize(("store", "system"), [(DEFAULT_STORE, DEFAULT_SYSTEM)])
every_store = pytest.mark.parametrize(("store", "system"), [(DEFAULT_STORE, DEFAULT_SYSTEM), *cases(has_own_class)])


@pytest.fixture()
def bed(store: str, system: str, deployed: Callable[[str], Deployed], switch: Switch) -> Bed:
    """Give the bot that the tests share, switched to a store."""
    found = deployed(system) if store == DEFAULT_STORE else switch(store, system)
    found.run.succeeded()
    return Bed.of(found.host, found.kit)


@pytest.fixture(scope="module")
def start_impatient() -> Iterator[Callable[[Bed], AnotherRasa]]:
    """Start another Rasa on a bot's store, once for each, with locks of its own; it gives up after a short while."""
    with ExitStack() as stack:
        found: dict[str, AnotherRasa] = {}

        def start(bed: Bed) -> AnotherRasa:
            if bed.server.name not in found:
                found.clear()
                stack.close()
                another = stack.enter_context(AnotherRasa(bed.host, IMPATIENT_PORT, retry_seconds=2))
                found[bed.server.name] = another.wait()
            return found[bed.server.name]

        yield start


@pytest.fixture()
def impatient(bed: Bed, start_impatient: Callable[[Bed], AnotherRasa]) -> AnotherRasa:
    """Give the other Rasa of a bot."""
    return start_impatient(bed)


@every_store
@pytest.mark.parametrize("fault", SERVER_FAULTS)
def test_broken_server_is_a_slower_answer(bed: Bed, fault: str) -> None:
    """No error at all, every turn is stored once in order, and the bot knows all of them."""
    crowd = bed.users()
    with crowd.talking():
        broken = time.time()
        bed.break_server(fault, SERVER_FAULTS[fault])
        healed = time.time()
    assert [turn.error for turn in crowd.all_turns if turn.status != ACKNOWLEDGED] == []
    bed.assert_kept(crowd)
    for turns in crowd.turns_by_user.values():
        assert turns[0].started < broken
        assert turns[-1].started > healed
    assert max(turn.seconds for turn in crowd.all_turns) >= SERVER_FAULTS[fault]


@every_store
def test_server_that_stays_away_is_503_and_leaves_nothing(bed: Bed, impatient: AnotherRasa) -> None:
    """With a sentence and `Retry-After`; the same message is welcome afterwards."""
    assert bed.say("patient", "remember one", impatient.url).texts == ["I will remember note 1: one"]
    before = bed.events("patient")
    stop = bed.server_fault("stop")
    stop.inject()
    try:
        refused = bed.say("patient", "remember two", impatient.url, message_id="two")
    finally:
        stop.heal()
    assert refused.status == 503
    assert int(refused.headers["Retry-After"]) >= 1
    assert bed.away in refused.body["error"]
    assert bed.events("patient") == before
    again = bed.say("patient", "remember two", impatient.url, message_id="two")
    assert again.texts == ["I will remember note 2: two"]
    assert bed.texts("patient") == ["remember one", "remember two"]


@every_store
def test_two_servers_without_a_common_lock_keep_every_turn_once(bed: Bed, impatient: AnotherRasa) -> None:
    """Two Rasa processes answer one conversation at once."""
    urls = {"first": bed.bot.facts["url"], "second": impatient.url}
    crowd = Crowd(bed.bot.host, bed.bot.facts["url"], users_of_one("shared", urls, SEED))
    with crowd.talking():
        pass
    (reading,) = read_store(bed.bot, ["shared"], "afterwards").values()
    for history in histories(crowd, reading):
        verdicts = {verdict.check: verdict for verdict in run_checks(history)}
        assert [verdicts[check] for check in OF_ONE_USER if verdicts[check].outcome != PASS] == []
    said = [turn.text for turns in crowd.turns_by_user.values() for turn in turns]
    stored = reading.user_texts()
    assert sorted(stored) == sorted(said)
    assert stored != said, "they did not talk at once"
    notes = ", ".join(text.partition(" ")[2] for text in stored)
    for url in urls.values():
        assert bed.say("shared", "what did I ask you to remember?", url).texts == [f"You asked me to remember: {notes}"]


@every_store
def test_reminder_of_two_servers_comes_once(bed: Bed, impatient: AnotherRasa) -> None:
    """Both Rasa processes know of it; one of them triggers it."""
    sender = f"reminded-{bed.server.name}"
    assert bed.say(sender, "remind me in 2 seconds", impatient.url).texts == ["I will remind you in 2 seconds"]
    assert times_reminded(bed, sender) == 1


@every_store
def test_http_api_is_stored_once(bed: Bed) -> None:
    """What is posted is appended, a session begins in the middle, and what is put replaces all of it."""
    sender = f"api-{bed.server.name}"
    assert bed.say(sender, "remember one").status == 200
    for path, body, kind in (
        ("tracker/events", SLOT, "slot"),
        ("execute", {"name": "utter_greet"}, "bot"),
        ("trigger_intent", {"name": "greet"}, "user"),
    ):
        before = bed.events(sender)
        assert bed.call("POST", f"/conversations/{sender}/{path}", body).status == 200
        after = bed.events(sender)
        assert after[: len(before)] == before
        added = [event["event"] for event in after[len(before) :]]
        assert added.count(kind) == 1, (path, added)
    before = bed.events(sender)
    assert bed.say(sender, "/session_start").status == 200
    assert bed.say(sender, "what did I ask you to remember?").status == 200
    after = bed.events(sender)
    assert after[: len(before)] == before
    added = [event["event"] for event in after[len(before) :]]
    assert (added.count("session_started"), added.count("user")) == (1, 2)
    assert bed.call("PUT", f"/conversations/{sender}/tracker/events", [SLOT]).status == 200
    assert [(event["event"], event["value"]) for event in bed.events(sender)] == [("slot", "put")]


@every_store
def test_each_tracker_is_saved_once_and_a_blind_one_never(bed: Bed) -> None:
    """Several saves of one tracker keep its events once; one that believes itself new is refused."""
    sender = f"tracker-{bed.server.name}"
    path = "/run/trackers.py"
    bed.host.put(TRACKERS, path, mode=0o644)
    # The command `steadfast` has the environment of the bot.
    told = bed.host.exec(f"sed 's#-m steadfast #{path} #' {COMMAND} | runuser -u rasa -- sh -s {sender}").stdout
    assert told.startswith(f"The conversation of '{sender}'"), told
    assert bed.texts(sender) == ["one", "two", "three"]


def times_reminded(bed: Bed, sender: str) -> int:
    """Wait for a reminder and as long again as a second one would take; tell how many came."""

    def times() -> int:
        return sum(event["event"] == "bot" and event["text"] == REMINDED for event in bed.events(sender))

    deadline = time.monotonic() + 20
    while not times():
        assert time.monotonic() < deadline, bed.events(sender)
    time.sleep(3)
    return times()


class Killed(NamedTuple):
    """Users who talked while Rasa was killed, and the sender who was to be reminded meanwhile."""

    crowd: Crowd
    reminded: str


@pytest.fixture(scope="module")
def killed(deployed: Callable[[str], Deployed]) -> Killed:
    """Kill Rasa while users talk, who send a message again until it is acknowledged."""
    found = deployed(DEFAULT_SYSTEM)
    bed = Bed.of(found.host, found.kit)
    crowd = bed.users(habits=RETRYING * 4)
    with crowd.talking():
        assert bed.say("reminded", "remind me in 5 seconds").texts == ["I will remind you in 5 seconds"]
        bed.kill_rasa()
    return Killed(crowd, "reminded")


@one_store
def test_killed_rasa_loses_and_doubles_nothing(bed: Bed, killed: Killed) -> None:
    """Each message is stored once, whether or not Rasa was still able to say so."""
    assert [turn.error for turn in killed.crowd.all_turns if turn.status != ACKNOWLEDGED] == []
    bed.assert_kept(killed.crowd)


@one_store
def test_reminder_outlives_a_kill_and_comes_once(bed: Bed, killed: Killed) -> None:
    """Though it was due while Rasa was away."""
    assert times_reminded(bed, killed.reminded) == 1


@one_store
def test_forgotten_conversation_leaves_no_trace(bed: Bed) -> None:
    """Neither events nor answers nor reminders, and `steadfast read` finds nothing."""
    bed.say("forgotten", "remember one", message_id="one")
    bed.say("forgotten", "remind me in 600 seconds")
    traces = "--scan --pattern '*forgotten*'", "zscore rasa:steadfast:reminders forgotten"
    assert all(bed.redis(trace) for trace in traces)
    run("make", "forget", "SENDER=forgotten", f"INVENTORY={bed.kit.folder}").succeeded()
    assert bed.bot.read("forgotten") is None
    assert not any(bed.redis(trace) for trace in traces)
    # An answer that were kept would make this the id of another message.
    assert bed.say("forgotten", "remember two", message_id="one").texts == ["I will remember note 1: two"]


@one_store
def test_export_finds_every_conversation(bed: Bed) -> None:
    """Rasa's own command, with a file as the broker: every sender, and every event once."""
    bed.say("exported", "remember one")
    exported = export(bed.bot)
    assert set(exported) == set(bed.bot.senders())
    of_one = [event["event"] for event in exported["exported"]]
    assert of_one == [event["event"] for event in bed.events("exported")]


@one_store
def test_start_without_the_server_waits_and_ends_with_a_sentence(bed: Bed) -> None:
    """It says in the log that it waits, again every few seconds."""
    stop = bed.server_fault("stop")
    stop.inject()
    try:
        with AnotherRasa(bed.host, PORT, start_seconds=8) as another:
            log = another.ended()
    finally:
        stop.heal()
    told = [line for line in log.splitlines() if bed.away in line]
    assert len(told) == 3, log
    assert all(line.endswith("Trying again, up to 8 s.") for line in told[:-1])
    assert told[-1].endswith("Rasa does not start without its tracker store; it waited up to 8 s.")
    assert "Traceback" not in log


@one_store
def test_store_without_its_channel_does_not_serve(bed: Bed) -> None:
    """Rasa's own REST channel would acknowledge what was not stored: the guard's sentence, and the end."""
    with AnotherRasa(bed.host, PORT, channel="rest") as another:
        assert bed.say("unguarded", "remember one", another.wait().url).status == NO_ANSWER
        log = another.ended()
    assert "credentials.yml lacks the channel steadfast.channels.rest.RestInput" in log
    assert "Traceback" not in log
    assert bed.bot.read("unguarded") is None


@one_store
def test_the_checks_catch_rasas_own_class(bed: Bed, store: str) -> None:
    """The control: the same users, the same fault; turns that were acknowledged are not there."""
    with AnotherRasa(bed.host, PORT, channel="rest", type=definition(store)["type"]) as another:
        crowd = bed.users(another.wait().url)
        with crowd.talking():
            bed.break_server("stop", SERVER_FAULTS["stop"])
    read = read_store(bed.bot, crowd.senders, "afterwards")
    lost = [verdict for history in crowd.histories(read) for verdict in run_checks(history) if verdict.outcome == FAIL]
    assert "no_turn_lost" in {verdict.check for verdict in lost}
