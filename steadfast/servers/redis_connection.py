"""A connection to Redis that runs scripts, each in one round trip, and says why it cannot."""

from __future__ import annotations

import hashlib
import re
import ssl
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

import redis
from redis.exceptions import AuthenticationError, AuthorizationError, NoScriptError, RedisError

from steadfast.readers.causes import Cause, code_and_message, explained
from steadfast.readers.reader import CONNECT_SECONDS
from steadfast.readers.redis import CAUSES
from steadfast.servers.server import ServerError, Unavailable, Unheard

RIGHTS = (
    "+auth +del +eval +evalsha +exists +get +hdel +hexists +hget +hmget +hset +llen +lrange +pexpire +pexpireat +ping "
    "+pttl +rpush +scan +select +set +time +zadd +zrangebyscore +zrem +zrevrange +zscore"
)
"""What the account must be allowed, on the keys `PREFIX:steadfast:*` and `PREFIX:tracker:*`."""

# Below the 20 s for which a turn is tried again.
ANSWER_SECONDS = 15
# A connection that was idle for so long is tried before it is used: a firewall may have forgotten it.
IDLE_SECONDS = 30

SCRIPTS = {path.stem: path.read_bytes() for path in (Path(__file__).parent / "redis_scripts").glob("*.lua")}
DIGESTS = {name: hashlib.sha1(script).hexdigest() for name, script in SCRIPTS.items()}

# Nothing was done, but may be in a moment. Redis 6 wraps what a command in a script is refused for in more words.
PASSING = re.compile(r"\b(BUSY|CLUSTERDOWN|MASTERDOWN|NOREPLICAS|READONLY|ReadOnlyError|TRYAGAIN)\b")
SCRIPT_CAUSES = (
    Cause(
        r"(access|accessing).* keys?\b",
        "the user 'username' ({username}) may not touch keys that begin with '{prefix}': on the Redis at {where} allow "
        "it ~{prefix}steadfast:* and ~{prefix}tracker:*, or correct 'key_prefix' ({key_prefix})",
        redis.ResponseError,
    ),
    Cause(
        r"permissions? to|can't run this command|ACL failure",
        f"the user 'username' ({{username}}) lacks a right on the Redis at {{where}} ({{error}}): allow it {RIGHTS}",
        redis.ResponseError,
    ),
    Cause("READONLY", "the Redis at {where} is a read-only replica: set 'url' to its primary", redis.ResponseError),
)


class RedisConnection:
    """Connections to one database of a Redis, as many as are in use at once."""

    def __init__(self, host: str, port: int, prefix: str, options: Mapping[str, Any]) -> None:
        """Does not connect.

        Args:
            host: The setting `url`.
            port: The server's port.
            prefix: What every key begins with.
            options: Further parameters of Rasa's `RedisTrackerStore`.
        """
        self.where = f"{host}:{port}"
        self._values = {name: value for name, value in options.items() if value is not None}
        self._values.update(url=host, where=self.where, prefix=prefix, use_ssl=str(options["use_ssl"]).lower())
        # The pool drops a connection that the server has closed before it is used.
        self._client: Any = redis.StrictRedis(
            host=host,
            port=port,
            db=int(options["db"]),
            username=options["username"],
            password=options["password"],
            ssl=options["use_ssl"],
            ssl_keyfile=options["ssl_keyfile"],
            ssl_certfile=options["ssl_certfile"],
            ssl_ca_certs=options["ssl_ca_certs"],
            ssl_check_hostname=True,
            # Python may hold half of a surrogate pair, from JSON.
            encoding_errors="surrogatepass",
            health_check_interval=IDLE_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
        )

    def run(self, script: str, keys: Sequence[str], *arguments: Any) -> Any:
        """Runs a script; its text is sent only if the server does not have it, as after a restart.

        Raises:
            Unavailable: The server cannot be reached.
            Unheard: It was reached, and what it did is not known.
            ServerError: It refused.
        """
        try:
            return self.call("EVALSHA", DIGESTS[script], len(keys), *keys, *arguments)
        except NoScriptError:
            return self.call("EVAL", SCRIPTS[script], len(keys), *keys, *arguments)

    def call(self, *command: Any) -> Any:
        """Runs a command; raises as `run` does."""
        with self._connected(command[0]) as connection:
            try:
                return self._answered(connection, command)
            except NoScriptError:
                raise
            except RedisError as error:
                raise self._failed(error, Unheard) from error

    @contextmanager
    def _connected(self, name: str) -> Iterator[Any]:
        """Takes a connection, made or tried before anything is sent, for the command of that name."""
        pool = self._client.connection_pool
        try:
            connection = pool.get_connection(name)
        except RedisError as error:
            raise self._failed(error, Unavailable) from error
        try:
            try:
                connection.check_health()
            except RedisError as error:
                raise self._failed(error, Unavailable) from error
            yield connection
        finally:
            pool.release(connection)

    def _answered(self, connection: Any, command: Sequence[Any]) -> Any:
        try:
            connection.send_command(*command)
            return self._client.parse_response(connection, command[0])
        except redis.ResponseError:
            raise
        except BaseException:
            # Half an answer may be on its way, which is not to be taken for that to the next command.
            connection.disconnect()
            raise

    def close(self) -> None:
        """Closes the connections, those in use, too."""
        self._client.connection_pool.disconnect()

    def _failed(self, error: RedisError, broken: type[Unavailable]) -> ServerError:
        """Explains an error; `broken` is what it is where the connection broke."""
        beneath = error.__cause__ or error.__context__ or error
        _, told = code_and_message(beneath)
        sentence = str(explained(error, (*SCRIPT_CAUSES, *CAUSES), {**self._values, "error": told}))
        is_broken = isinstance(error, (redis.ConnectionError, redis.TimeoutError))
        is_refused = isinstance(error, (AuthenticationError, AuthorizationError)) or isinstance(beneath, ssl.SSLError)
        if is_broken and not is_refused:
            return broken(sentence)
        return (Unavailable if PASSING.search(f"{type(error).__name__} {error}") else ServerError)(sentence)
