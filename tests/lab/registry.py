"""A registry on loopback, where Docker asks for no TLS: what pulls images can be tried without another machine."""

import contextlib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
import tenacity

from tests.lab.engine import ensure_engine
from tests.lab.errors import LabError
from tests.lab.retirement import delete
from tests.lab.runs import labels, run_id
from tests.lab.stand_ins import stand_in

_PORT = "5000/tcp"
_START_SECONDS = 30.0


class Registry:
    """A registry that answers.

    Attributes:
        address: As in `127.0.0.1:32768`, with which the reference of what is in it begins.
    """

    def __init__(self, address: str) -> None:
        """Takes its address, and waits until it answers there."""
        self.address = address
        _wait(f"http://{address}/v2/")

    def push(self, image: str, name: str) -> str:
        """Puts an image there, by reference or id, under a name such as ``redis:7``, and returns its new reference.

        What had that name goes on without it. The machine forgets the reference, so that it has to pull it. Raises
        LabError if the registry does not take it.
        """
        client = ensure_engine()
        reference = f"{self.address}/{name}"
        client.images.get(image).tag(reference)
        for line in client.api.push(reference, stream=True, decode=True):
            if "error" in line:
                raise LabError(f"{reference} cannot be pushed: {line['error']}")
        client.images.remove(reference)
        return reference


@contextmanager
def registry() -> Iterator[Registry]:
    """Run one; afterwards it is gone with what it has, and so are the names of what was pulled from it."""
    client = ensure_engine()
    container = client.containers.run(
        stand_in("registry"),
        name=f"steadfast-{run_id()}-registry",
        labels=labels(),
        ports={_PORT: ("127.0.0.1", 0)},
        detach=True,
    )
    address = ""
    try:
        container.reload()
        ports: dict[str, Any] = container.attrs["NetworkSettings"]["Ports"]
        address = f"127.0.0.1:{ports[_PORT][0]['HostPort']}"
        yield Registry(address)
    finally:
        delete(container)
        if address:
            _forget(client, f"{address}/")


@tenacity.retry(stop=tenacity.stop_after_delay(_START_SECONDS), wait=tenacity.wait_fixed(0.1), reraise=True)
def _wait(url: str) -> None:
    # Loopback is not behind a proxy.
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5).close()


def _forget(client: docker.DockerClient, prefix: str) -> None:
    for image in client.api.images():
        for reference in (*(image["RepoTags"] or ()), *(image["RepoDigests"] or ())):
            if reference.startswith(prefix):
                # The digest goes with the last tag.
                with contextlib.suppress(docker.errors.ImageNotFound):
                    client.images.remove(reference)
