"""Where packages come from: read from this machine's own apt, written for the lab's images."""

import os
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab.distributions import Family, System

_ONE_LINE = re.compile(r"deb\s+(?:\[[^]]*\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)(?P<components>.*)")
_SUITE = re.compile(r"(?P<codename>[a-z]+)(?P<pocket>-updates|-security|-backports)?")
# What apt needs to get through to the mirror, and nothing else of this machine's settings.
_SETTING = re.compile(
    r"Acquire::(?P<name>(?P<scheme>https?)::Proxy(?:::\S+)?|Check-Valid-Until|Check-Date|ForceIPv4)"
    r' "(?P<value>.*)";'
)
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Source:
    """One suite of one archive of binary packages."""

    uri: str
    suite: str
    components: tuple[str, ...]


@dataclass(frozen=True)
class Mirror:
    """A distribution's archive, and its archive of security updates if it is known."""

    main: str
    security: str | None


def parse_list(text: str) -> Iterator[Source]:
    """Read the one-line format of sources.list(5)."""
    for line in text.splitlines():
        match = _ONE_LINE.fullmatch(line.partition("#")[0].strip())
        if match:
            components = tuple(match["components"].split())
            yield Source(match["uri"].rstrip("/"), match["suite"], components)


def parse_deb822(text: str) -> Iterator[Source]:
    """Read the deb822 format of sources.list(5), that of ``*.sources`` files."""
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    for paragraph in re.split(r"\n[ \t]*(?:\n[ \t]*)*\n", "\n".join(lines)):
        fields: dict[str, list[str]] = {}
        name = ""
        for line in paragraph.splitlines():
            key, colon, value = line.partition(":")
            if line[:1] in (" ", "\t"):
                fields.setdefault(name, []).extend(line.split())
            elif colon:
                name = key.strip().lower()
                fields[name] = value.split()
        if "deb" not in fields.get("types", []) or fields.get("enabled", ["yes"])[0] == "no":
            continue
        for uri in fields.get("uris", []):
            for suite in fields.get("suites", []):
                yield Source(uri.rstrip("/"), suite, tuple(fields.get("components", [])))


def machine_sources(etc_apt: Path = Path("/etc/apt")) -> list[Source]:
    """Return the sources of this machine's apt; none where there is no apt."""
    lists = [etc_apt / "sources.list", *sorted(etc_apt.glob("sources.list.d/*.list"))]
    found = [source for path in lists if path.is_file() for source in parse_list(path.read_text())]
    for path in sorted(etc_apt.glob("sources.list.d/*.sources")):
        found.extend(parse_deb822(path.read_text()))
    return found


def mirror(family: Family, sources: Iterable[Source], environ: Mapping[str, str] = os.environ) -> Mirror | None:
    """Return the distribution's mirror among ``sources``, or None if there is none.

    ``STEADFAST_LAB_MIRROR_DEBIAN`` or ``..._UBUNTU`` names one where the machine's apt has none.
    """
    pockets: Counter[str] = Counter()
    security = None
    for source in sources:
        match = _SUITE.fullmatch(source.suite)
        usable = source.uri.startswith(("http://", "https://")) and "main" in source.components
        if not match or not usable or match["codename"] not in family.codenames:
            continue
        if match["pocket"] == "-security":
            security = security or source.uri
        else:
            pockets[source.uri] += 1
    named = environ.get(f"STEADFAST_LAB_MIRROR_{family.name.upper()}")
    if named:
        return Mirror(named.rstrip("/"), named.rstrip("/") + family.security)
    if not pockets:
        return None
    # Other vendors' archives use the distribution's suite names too, but do not have
    # its updates as well.
    return Mirror(pockets.most_common(1)[0][0], security)


def suites(system: System, from_mirror: Mirror) -> list[Source]:
    """Return what a fresh server of that system has: the release, its updates, security."""
    components = system.family.components
    found = [
        Source(from_mirror.main, system.suite, components),
        Source(from_mirror.main, f"{system.suite}-updates", components),
    ]
    if from_mirror.security:
        found.append(Source(from_mirror.security, f"{system.suite}-security", components))
    return found


def exists(source: Source, proxies: Mapping[str, str], timeout: float = 20.0) -> bool:
    """Tell whether an archive has a suite; old releases lose theirs. Time-out in seconds."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(dict(proxies)))
    try:
        with opener.open(f"{source.uri}/dists/{source.suite}/InRelease", timeout=timeout):
            return True
    except urllib.error.HTTPError as error:
        if error.code in (403, 404, 410):
            return False
        raise


def sources_list(sources: Iterable[Source]) -> str:
    """Return the text of a sources.list."""
    return "".join(f"deb {source.uri} {source.suite} {' '.join(source.components)}\n" for source in sources)


@dataclass(frozen=True)
class Settings:
    """What this machine's apt is told that its mirror needs."""

    # Text of an apt.conf for hosts.
    conf: str
    # By scheme, for this machine.
    proxies: Mapping[str, str]


def parse_settings(dump: str) -> Settings:
    """Read the output of ``apt-config dump``."""
    lines = []
    proxies = {}
    for line in dump.splitlines():
        match = _SETTING.fullmatch(line.strip())
        if not match or not match["value"]:
            continue
        if match["scheme"] and match["value"] != "DIRECT":
            if match["name"] == f"{match['scheme']}::Proxy":
                proxies[match["scheme"]] = match["value"]
            # A proxy on this machine's loopback is somewhere else for a host.
            if urllib.parse.urlsplit(match["value"]).hostname in _LOOPBACK:
                continue
        lines.append(f'Acquire::{match["name"]} "{match["value"]}";\n')
    return Settings("".join(lines), proxies)


def machine_settings() -> Settings:
    """Return the settings of this machine's apt; none where there is no apt."""
    if shutil.which("apt-config") is None:
        return Settings("", {})
    dump = subprocess.run(("apt-config", "dump"), capture_output=True, text=True, check=True)
    return parse_settings(dump.stdout)
