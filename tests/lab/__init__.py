"""WHERE the tests run: throwaway machines, and the images they start from.

Mirrors, proxies and certificate authorities come from the machine's own settings.
"""

from tests.lab.certificates import ca_bundle
from tests.lab.cleanup import remove_leftovers, remove_run
from tests.lab.compose import ensure_compose
from tests.lab.disk import add_disk
from tests.lab.distributions import System, systems
from tests.lab.engine import ensure_engine
from tests.lab.errors import LabError, Unavailable
from tests.lab.host import Host, Result
from tests.lab.hosts import start_host
from tests.lab.images import build, image
from tests.lab.keys import KeyPair, generate_key
from tests.lab.networks import Network, network
from tests.lab.registry import Registry, registry
from tests.lab.runs import cache_dir, labels, run_id
from tests.lab.snapshots import snapshot
from tests.lab.ssh import authorize
from tests.lab.stand_ins import build_stand_ins, stand_in

__all__ = [
    "Host",
    "KeyPair",
    "LabError",
    "Network",
    "Registry",
    "Result",
    "System",
    "Unavailable",
    "add_disk",
    "authorize",
    "build",
    "build_stand_ins",
    "ca_bundle",
    "cache_dir",
    "ensure_compose",
    "ensure_engine",
    "generate_key",
    "image",
    "labels",
    "network",
    "registry",
    "remove_leftovers",
    "remove_run",
    "run_id",
    "snapshot",
    "stand_in",
    "start_host",
    "systems",
]
