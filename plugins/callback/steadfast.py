"""Ansible's output for people: a line a task, what changed, and errors as sentences."""

from __future__ import annotations

import gc
import re
import time
from collections import defaultdict
from typing import Any

from ansible import constants
from ansible.plugins.callback.default import CallbackModule as DefaultCallback

# Loaded before the first task. Measured: a fifteenth of an unchanged compose-up went into looking for garbage, of
# which its templates make next to none.
gc.freeze()
gc.set_threshold(100_000, 50, 50)

DOCUMENTATION = """
name: steadfast
type: stdout
short_description: a line a task, what changed, and errors as sentences
description:
  - Prints each task when it starts, the hosts that it changed, of an error its message only, and the time that each
    role took.
  - With C(-v) everything that Ansible's default prints.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""

# What happens on the control machine in no time: not worth a line unless it fails.
QUIET_ACTIONS = {
    *("assert", "debug", "include_role", "include_tasks", "include_vars"),
    *("meta", "set_fact", "validate_argument_spec"),
}


def sentence(result: dict[str, Any]) -> str:
    """Take from a failed task's result what a person can act on."""
    for loop_result in result.get("results", []):
        if isinstance(loop_result, dict) and loop_result.get("failed"):
            return sentence(loop_result)
    # Ansible puts one or two of its own headings before a message.
    message = re.sub(r"^((Task|Action|Module) failed[.:] *)+", "", str(result.get("msg", "")).strip())
    details = next((result[key] for key in ("stderr", "module_stderr", "stdout") if result.get(key)), "").strip()
    if details and message in {"", "non-zero return code", "failed to validate"}:
        return "\n".join(details.splitlines()[-3:])
    return message or "the task failed and gave no reason; -v shows all of it"


def is_rescued(task: Any) -> bool:
    """Tell whether a task stands in a block whose `rescue` has its own word on the error."""
    parent = task._parent
    # By their identifiers: Ansible runs copies of the tasks. What a `rescue` includes is a part of it.
    within = {task._uuid}
    while parent is not None:
        rescuers = {rescuer._uuid for rescuer in getattr(parent, "rescue", [])}
        if rescuers and not rescuers & within:
            return True
        within.add(parent._uuid)
        parent = parent._parent
    return False


class CallbackModule(DefaultCallback):
    """Prints a line a task; see DOCUMENTATION."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "steadfast"

    def __init__(self) -> None:
        """Start with no role timed."""
        super().__init__()
        self._role_seconds: defaultdict[str, float] = defaultdict(float)
        self._errors: set[str] = set()
        self._role = ""
        self._role_started = time.monotonic()

    def _clock(self, role: str) -> None:
        now = time.monotonic()
        self._role_seconds[self._role] += now - self._role_started
        self._role, self._role_started = role, now

    def _is_verbose(self) -> bool:
        return bool(self._display.verbosity)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Print the play's name."""
        self._play = play
        self._display.display(f"\n{play.get_name().strip()}", color=constants.COLOR_HIGHLIGHT)

    def _print_task_banner(self, task: Any) -> None:
        self._last_task_banner = task._uuid
        self._clock(task._role.get_name() if task._role else "")
        if task.action.removeprefix("ansible.builtin.") not in QUIET_ACTIONS:
            self._display.display(f"  {task.get_name().strip()}")

    def v2_playbook_on_include(self, included_file: Any) -> None:
        """Print nothing: the included tasks speak for themselves."""

    def v2_runner_on_ok(self, result: Any) -> None:
        """Print a changed host, or what a debug task has to say."""
        if self._is_verbose():
            super().v2_runner_on_ok(result)
        elif result._task.action in constants._ACTION_DEBUG:
            self._display.display("\n" + str(result._result.get("msg", "")), color=constants.COLOR_OK)
        elif result._result.get("changed"):
            self._handle_warnings(result._result)
            if result._task.loop and "results" in result._result:
                return
            if self._display_diff(result):
                self._display.display(self._get_diff(result._result["diff"]))
            self._display.display(f"    changed: {result._host.get_name()}", color=constants.COLOR_CHANGED)

    def _display_diff(self, result: Any) -> bool:
        return bool(result._task.diff and result._result.get("diff"))

    def v2_on_file_diff(self, result: Any) -> None:
        """Print nothing here, unless asked for all: the difference comes with the result."""
        if self._is_verbose():
            super().v2_on_file_diff(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Print the error as a sentence."""
        if self._is_verbose():
            super().v2_runner_on_failed(result, ignore_errors)
            return
        if is_rescued(result._task):
            return
        # Several hosts may fail for one reason, such as a setting that they share.
        error = sentence(result._result)
        if error not in self._errors:
            self._errors.add(error)
            self._display.display(f"    error: {error}", color=constants.COLOR_ERROR, stderr=False)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Print why a host cannot be reached."""
        host = result._host.get_name()
        message = str(result._result.get("msg", "")).strip()
        self._display.display(f"    error: {host} cannot be reached: {message}", color=constants.COLOR_UNREACHABLE)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """Print a changed item of a loop."""
        if self._is_verbose():
            super().v2_runner_item_on_ok(result)
        elif result._result.get("changed"):
            label = self._get_item_label(result._result)
            self._display.display(f"    changed: {result._host.get_name()} {label}", color=constants.COLOR_CHANGED)

    def v2_runner_retry(self, result: Any) -> None:
        """Print nothing: the task's name says what is waited for."""

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """Print nothing: the loop's own result has the sentence."""

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Print nothing."""

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        """Print nothing."""

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Print the time that each role took, and what changed on each host."""
        self._clock("")
        self._display.display("")
        for role, seconds in self._role_seconds.items():
            if role:
                self._display.display(f"  {role:<16}{seconds:7.1f} s")
        super().v2_playbook_on_stats(stats)
