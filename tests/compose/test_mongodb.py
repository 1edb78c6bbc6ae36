"""MongoDB under Compose: what its accounts may do, and what the containers keep."""

from __future__ import annotations

import json
from pathlib import Path

from tests.compose.project import running

# In the bot's container, with the bot's login: what the server says to each of them.
TRIES = """
import json, pymongo, yaml
from pymongo.errors import OperationFailure
options = yaml.safe_load(open("/run/secrets/endpoints.yml"))["tracker_store"]
login = {"username": options["username"], "password": options["password"], "authSource": options["auth_source"]}
client = pymongo.MongoClient(options["url"], **login)
conversations = client[options["db"]][options["collection"]]
tries = {
    "index": lambda: conversations.create_index("sender_id"),
    "read": lambda: conversations.find_one(),
    "drop": conversations.drop,
    "drop index": conversations.drop_indexes,
    "list": client[options["db"]].list_collection_names,
    "another database": lambda: client["another"]["conversations"].find_one(),
    "databases": client.list_database_names,
    "accounts": lambda: client["admin"].command("usersInfo"),
    "nobody": lambda: pymongo.MongoClient(options["url"])[options["db"]][options["collection"]].find_one(),
}
said = {}
for name, do in tries.items():
    try:
        do()
        said[name] = "allowed"
    except OperationFailure as error:
        said[name] = error.code
print(json.dumps(said))
"""


def test_bot_may_do_little(images: None, tmp_path: Path) -> None:
    """No more than Rasa's class needs; whoever has not logged in, nothing. The image's volumes are the kit's."""
    with running(tmp_path, "mongodb") as project:
        said = project.compose("exec", "-T", "rasa", "python", "-c", TRIES)
        volumes = {
            mount["Name"]
            for container in project.containers()
            for mount in container["Mounts"]
            if mount["Type"] == "volume"
        }
    assert [name for name, answer in json.loads(said).items() if answer == "allowed"] == ["index", "read"]
    assert set(json.loads(said).values()) == {"allowed", 13}
    assert volumes == {f"{project.name}_mongodb"}
