"""Reads Rasa's tracker store in MariaDB, which differs from MySQL in what the server tells of itself."""

from __future__ import annotations

from steadfast.readers import mysql


class Store(mysql.Store):
    """Rasa's conversations in MariaDB.

    Rasa takes the ids from a sequence `events_seq` there, in the same database: the bot's account
    needs its grant on the whole database, not on the table alone.
    """

    name = "mariadb"
