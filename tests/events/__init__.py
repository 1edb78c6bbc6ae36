"""Every event of Rasa 3.6.21: what a store keeps of it, and what it leads to, before and after a restart."""

from tests.events.check import Report, check_events, restarter
from tests.events.compare import Difference

__all__ = ["Difference", "Report", "check_events", "restarter"]
