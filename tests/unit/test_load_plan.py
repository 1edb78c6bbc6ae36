"""What users say is a pure function of the seed, and what the sample bot must answer is known of all of it."""

from __future__ import annotations

import pytest

from tests.kit import REPOSITORY
from tests.load.plan import HABITS, NOTES_ONLY, TOPICS, Conversation, make_users
from tests.load.sample_bot import PHRASES, SampleBot


def conversations(seed: int) -> list[Conversation]:
    """Returns all conversations of all users."""
    return [conversation for user in make_users(seed, turns=300) for conversation in user.conversations]


def texts(conversation: Conversation) -> list[str]:
    """Returns all that is said in a conversation, the last question included."""
    assert conversation.closing
    return [message.text for message in (*conversation.messages, conversation.closing)]


def test_seed_repeats_the_plan() -> None:
    """The same senders, messages, order, ids and habits; another seed gives others."""
    assert make_users(7) == make_users(7) != make_users(8)
    first = make_users(7)[0].conversations[0]
    assert first.sender == "7-1-1"
    assert [(message.text, message.message_id) for message in first.messages[:3]] == [
        ("find me some venues", "7-1-1-1"),
        ("remember amber-1-1-2", "7-1-1-2"),
        ("find me some good concerts", "7-1-1-3"),
    ]


def test_prefix_changes_the_senders_alone() -> None:
    """A store may hold several runs of one seed."""
    for one, other in zip(conversations(7), make_users(7, prefix="b-", turns=300)[0].conversations, strict=False):
        assert (f"b-{one.sender}", texts(one)) == (other.sender, texts(other))


@pytest.mark.parametrize("seed", range(5))
def test_everything_can_be_told_apart(seed: int) -> None:
    """Senders, ids, notes, and the messages of a conversation."""
    found = conversations(seed)
    said = [texts(conversation) for conversation in found]
    assert all(len(set(each)) == len(each) for each in said)
    notes = [text for each in said for text in each if text.startswith("remember ")]
    assert len(set(notes)) == len(notes)
    senders = [conversation.sender for conversation in found]
    assert len(set(senders)) == len(senders)
    ids = [message.message_id for conversation in found for message in conversation.messages if message.message_id]
    assert len(set(ids)) == len(ids)


def test_habits_are_the_users() -> None:
    """Only who has ids sends a message again."""
    for user, habit in zip(make_users(7), [*HABITS, *HABITS], strict=True):
        assert user.habit == HABITS[habit]
        assert user.habit.has_ids or not user.habit.retry_seconds
        has_ids = {message.message_id is not None for each in user.conversations for message in each.messages}
        assert has_ids == {user.habit.has_ids}


def test_users_have_enough_to_say_and_of_everything() -> None:
    """All topics come in the conversations of each user."""
    for user in make_users(7, turns=300):
        said = [text for conversation in user.conversations for text in texts(conversation)]
        assert len(said) >= 300
        for topic in TOPICS.keys() & PHRASES.keys():
            assert set(PHRASES[topic]) & set(said)


def test_notes_only() -> None:
    """Where several users share a conversation."""
    (user,) = make_users(7, habits=["patient"], topics=NOTES_ONLY)
    assert {message.text.split()[0] for each in user.conversations for message in each.messages} == {"remember"}


def test_sample_bot_knows_what_to_answer_to_everything() -> None:
    """Most answers depend on earlier turns."""
    telling = 0
    for conversation in conversations(7):
        bot, newborn = SampleBot(), SampleBot
        for text in texts(conversation):
            telling += bot.hear(text) != newborn().hear(text)
    assert telling > 1000


def test_sample_bot_answers_from_its_slots() -> None:
    """As `rasa_project/actions` does."""
    bot = SampleBot()
    assert bot.hear("compare reviews") == ("I have nothing to compare yet: ask me for venues or concerts first",)
    assert bot.hear("recall my notes") == ("You have not asked me to remember anything",)
    assert bot.hear("remember a") == ("I will remember note 1: a",)
    assert bot.hear("search concerts") == ("here are some concerts I found", "Foo Fighters, Katy Perry")
    assert bot.hear("show me venues") == ("here are some venues I found", "Big Arena, Rock Cellar")
    assert bot.hear("/session_start") == ()
    assert bot.hear("remember b") == ("I will remember note 2: b",)
    assert bot.hear("what did I ask you to remember?") == ("You asked me to remember: a, b",)
    assert bot.hear("compare the reviews") == (
        "Rock Cellar has the best reviews: 5.0, Big Arena has 4.5",
        "Katy Perry has the best reviews: 5.0, Foo Fighters has 4.5",
    )
    assert bot.slots.keys() == {"note", "notes", "venues", "concerts"}
    assert bot.hear("let us start over") == ("I have restarted our conversation",)
    assert bot.slots == {}
    assert [text for text in ("/session_start", "let us start over", "remember a") if not bot.ends_session(text)] == [
        "remember a"
    ]
    with pytest.raises(ValueError, match="'hello' is not known"):
        bot.hear("hello")


def test_phrases_are_examples_that_the_bot_was_trained_with() -> None:
    """None of them can be misunderstood."""
    examples = (REPOSITORY / "rasa_project/data/nlu.yml").read_text(encoding="utf-8").splitlines()
    known = {line.strip()[2:] for line in examples if line.strip().startswith("- ")}
    said = {phrase for phrases in PHRASES.values() for phrase in phrases}
    assert said - known == {"/session_start"}
