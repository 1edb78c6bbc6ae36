"""Which faults are injected, in which order, and which cannot be."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from control.bot import Bot
from control.deployment import Server
from tests.faults.fault import Fault, FaultError, Target, known_faults


@dataclass(frozen=True)
class Scenario:
    """One fault between the two halves of a conversation.

    Attributes:
        name: Part of the sender's name, as in `kill-both`.
        title: What happens, for people, as in `kill -9 of Rasa and redis`.
        make_fault: Makes the fault.
    """

    name: str
    title: str
    make_fault: Callable[[], Fault]


@dataclass(frozen=True)
class Plan:
    """What will be done, and what will not, with the reason in a sentence."""

    scenarios: tuple[Scenario, ...]
    left_out: tuple[str, ...]

    def only(self, names: Collection[str]) -> Plan:
        """Returns the plan with these scenarios alone.

        Raises:
            FaultError: It has none of that name.
        """
        known = [scenario.name for scenario in self.scenarios]
        for name in names:
            if name not in known:
                raise FaultError(f"--only is '{name}': choose from {', '.join(known)}.")
        chosen = tuple(scenario for scenario in self.scenarios if scenario.name in names)
        return Plan(chosen, (*self.left_out, "All but the chosen scenarios are left out."))


# Faults of the server alone come first: they take a second each, where Rasa needs many to start.
ORDER = (
    ("restart", "server"),
    ("kill", "server"),
    ("restart", "rasa"),
    ("kill", "rasa"),
    ("restart", "both"),
    ("kill", "both"),
)


def bot_target(bot: Bot) -> Target:
    """Returns the services of a bot: Rasa and its action server."""
    return Target(bot.host, bot.facts["service_manager"], tuple(bot.facts["services"]))


def server_target(server: Server) -> Target:
    """Returns the service of a store's server."""
    return Target(server.host, server.facts["service_manager"], (server.facts["service"],))


def make_plan(bot: Bot, server: Server | None, with_reboot: bool) -> Plan:
    """Returns the scenarios for one bot and the server behind its store.

    Args:
        bot: The bot.
        server: None if this kit runs no server for the store.
        with_reboot: Whether hosts are to be rebooted, too.
    """
    rasa = [bot_target(bot)]
    targets = {"rasa": (rasa, "Rasa")}
    if server:
        behind = [server_target(server)]
        targets["server"] = (behind, server.name)
        targets["both"] = ([*rasa, *behind], f"Rasa and {server.name}")
    faults = known_faults()
    scenarios = [_scenario(faults[fault], what, *targets[what]) for fault, what in ORDER if what in targets]
    if bot.facts["service_manager"] == "docker":
        scenarios.append(_scenario(faults["down"], "all", *targets.get("both", targets["rasa"])))
    left_out = []
    if not server:
        store = bot.facts["tracker_store"]
        left_out.append(
            f"Restart and kill -9 of the server are left out: this kit runs none for the store "
            f"'{store}' of {bot.host.name}."
        )
    if with_reboot:
        scenarios += _reboots(faults["reboot"], rasa, server)
    return Plan(tuple(scenarios), tuple(left_out))


def _scenario(fault: type[Fault], what: str, targets: list[Target], title: str) -> Scenario:
    return Scenario(f"{fault.name}-{what}", f"{fault.title} of {title}", lambda: fault(targets))


def _reboots(fault: type[Fault], rasa: list[Target], server: Server | None) -> list[Scenario]:
    behind = [server_target(server)] if server else []
    bot_host = rasa[0].host
    apart = [target for target in behind if target.host.name != bot_host.name]
    together = [*rasa, *(target for target in behind if target not in apart)]
    found = [_scenario(fault, "bot-host", together, bot_host.name)]
    if apart:
        found.append(_scenario(fault, "store-host", apart, apart[0].host.name))
    return found


def refuse_early(plan: Plan) -> None:
    """Looks whether every fault can be injected, before the first one is.

    Raises:
        FaultError: One of them is impossible here, as a reboot of this very machine.
    """
    for scenario in plan.scenarios:
        try:
            scenario.make_fault().check()
        except FaultError as error:
            raise FaultError(f"{scenario.title} is not possible: {error}") from None
