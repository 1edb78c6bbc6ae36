"""Nothing stays behind: what dead runs left is found by its labels, live runs are left alone."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import docker

from tests.lab.engine import ensure_engine
from tests.lab.errors import LabError
from tests.lab.runs import IMAGE, LABEL, is_leftover

_Filters = dict[str, str | list[str] | bool]


@dataclass(frozen=True)
class Resource:
    """Something in Docker that a run has made."""

    kind: str
    name: str
    labels: Mapping[str, str]
    remove: Callable[[], object]


def resources() -> list[Resource]:
    """Return all that runs have made, in the order in which it can be removed."""
    client = ensure_engine()
    only: _Filters = {"label": LABEL}
    return [*_containers(client, only), *_networks(client, only), *_volumes(client, only)]


def leftovers(found: Iterable[Resource]) -> list[Resource]:
    """Return those whose run is dead."""
    return [resource for resource in found if is_leftover(resource.labels)]


def remove_leftovers() -> list[str]:
    """Remove what dead runs left, killed ones included; return what was removed."""
    return remove(leftovers(resources()))


def remove_run(run: str) -> list[str]:
    """Remove all that a run has made, alive or not; return what was removed."""
    return remove(resource for resource in resources() if resource.labels.get(LABEL) == run)


def remove(chosen: Iterable[Resource]) -> list[str]:
    """Remove these, each even if another one cannot be; LabError names those that stay."""
    removed = []
    problems = []
    for resource in chosen:
        shown = f"{resource.kind} {resource.name}"
        try:
            resource.remove()
        except docker.errors.NotFound:
            # Another run cleans up as well.
            continue
        except docker.errors.APIError as error:
            if "already in progress" not in str(error):
                problems.append(f"{shown}: {error.explanation}")
        else:
            removed.append(shown)
    if problems:
        raise LabError(f"not removed: {'; '.join(problems)}")
    return removed


def remove_images() -> list[str]:
    """Remove the images that the lab has made; return their names."""
    client = ensure_engine()
    removed = []
    # A prepared image before the bare one that it stands on, which is older.
    found = client.images.list(filters={"label": IMAGE})
    for image in sorted(found, key=lambda image: str(image.attrs["Created"]), reverse=True):
        for tag in image.tags:
            client.images.remove(tag)
            removed.append(f"image {tag}")
    return removed


def _containers(client: docker.DockerClient, only: _Filters) -> Iterator[Resource]:
    # Not looked at one by one: that fails when one goes away in between.
    for found in client.containers.list(all=True, filters=only, ignore_removed=True):

        def delete(name: str = str(found.id)) -> None:
            client.api.remove_container(name, force=True, v=True)

        yield Resource("container", str(found.name), found.labels, delete)


def _networks(client: docker.DockerClient, only: _Filters) -> Iterator[Resource]:
    for found in client.networks.list(filters=only):
        yield Resource("network", str(found.name), found.attrs["Labels"] or {}, found.remove)


def _volumes(client: docker.DockerClient, only: _Filters) -> Iterator[Resource]:
    for found in client.volumes.list(filters=only):
        yield Resource("volume", found.name, found.attrs["Labels"] or {}, found.remove)
