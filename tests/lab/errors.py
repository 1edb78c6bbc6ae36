"""What can go wrong in the lab, in one sentence each."""


class LabError(Exception):
    """The lab cannot do what was asked; the message says why and, if known, what mends it."""


class Unavailable(LabError):
    """A system has no image and none can be had here: report its tests as not run."""

    def __init__(self, system: str, reason: str) -> None:
        """Say which system, and why."""
        super().__init__(f"{system} cannot be had here: {reason}")
        self.system = system
        self.reason = reason
