"""Names that clients give to conversations."""

ODD_SENDERS = (
    "a:b",
    "*",
    "[a-z]?",
    "tracker:me",
    "steadfast:head:me",
    "with space, 'quotes' and \"more\"",
    "back\\slash%s{x}",
    "line\nbreak",
    "Zoë",
    "zoe",
    "ZOE",
    "trailing ",
    "trailing",
    "会话",
    "🤖" * 200,
    "x" * 255,
    "0",
    "None",
)
