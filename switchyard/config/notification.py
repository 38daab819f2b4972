"""The shape of `[notify]`: who is told that a person is needed, and that a run has ended."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from switchyard.config.table import Said, Table, check_variable

Occasion = Literal["needs_person", "run_finished"]


class NotifyConfig(Table):
    """`[notify]`: nobody, unless a webhook or a command is named. What fails there never stops a run."""

    webhook_env: Annotated[str, AfterValidator(lambda name: name and check_variable(name))] = ""
    """The host's variable that holds a webhook's URL, which is a secret; it takes `{"text": …}`, as Slack's do."""
    command: tuple[Said, ...] = ()
    """A program of this host and its arguments; {title} {event} {task} {run} {reason} are filled in, stdin is JSON."""
    on: tuple[Occasion, ...] = ("needs_person", "run_finished")
    """What is told of."""

    @property
    def channels(self) -> tuple[str, ...]:
        """The ways that are configured."""
        return tuple(name for name, is_set in (("webhook", self.webhook_env), ("command", self.command)) if is_set)
