"""The controls that a scenario's peer sends, and when.                                                       pure"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from chaos.durations import format_duration
from chaos.file_keys import Above0, Key, Moment, OneOf, Switch, read_keys
from chaos.file_values import FileError, Problems
from simulator.controls import CONTROL_KINDS, Control

ControlsOn = Literal["control", "input"]
KEYS = (
    Key("at", "When it is sent.", Moment(), required='say when, as in at = "10s"'),
    Key(
        "on",
        "Over which link. Over the input a client must take no notice of it.",
        OneOf(get_args(ControlsOn)),
        "control",
    ),
    Key(
        "message",
        "What the client is told.",
        OneOf(CONTROL_KINDS),
        required=f"say which, one of {', '.join(CONTROL_KINDS)}",
    ),
    Key("proximity_threshold", "Of update_parameters alone.", Above0("wall units"), "as it was"),
    Key(
        "touch_duration",
        "Of update_parameters alone; 0: the first contact is a touch.",
        Moment(),
        "as it was",
    ),
    Key("nested", "Of update_parameters alone: its rules stand inside `parameters`.", Switch(), "false"),
)
"""Of a table [[controls]]."""
_ONLY_WITH_RULES = ("proximity_threshold", "touch_duration", "nested")


class ControlError(FileError):
    """A control that cannot be; a line for each thing wrong names the message and the key, not the file."""


@dataclass(frozen=True, slots=True)
class TimedControl:
    """One control at one time, in seconds of scenario time. Made by `read_control`, which validates."""

    at: float
    message: Control
    on: ControlsOn = "control"
    """The control link; or the input, where a client must take no notice of it."""

    @property
    def stops(self) -> bool:
        """Whether a client that takes it comes to its end."""
        return self.on == "control" and self.message.kind == "stop"

    def __str__(self) -> str:
        """As in `pause_output on control at 8s`."""
        return f"{self.message.kind} on {self.on} at {format_duration(self.at)}"


def read_control(table: Mapping[str, object]) -> TimedControl:
    """The control that one [[controls]] table means. Raises ControlError with all that is wrong with it."""
    problems = Problems()
    values = read_keys(table, KEYS, "", problems)
    kind = values.get("message")
    if kind is not None:
        problems.gather(None, _go_together, kind, table, values)
    try:
        problems.raise_any()
    except FileError as error:
        raise error.inside("" if kind is None else f"{kind}: ", as_a=ControlError) from None
    return TimedControl(
        values["at"],
        Control(
            values["message"],
            proximity_threshold=values.get("proximity_threshold"),
            touch_duration=values.get("touch_duration"),
            nested=values.get("nested", False),
        ),
        values.get("on", "control"),
    )


def _go_together(kind: str, table: Mapping[str, object], values: Mapping[str, object]) -> None:
    if values.get("on") == "input" and kind == "reset_holds":
        raise FileError("a reset on the input is no control: write workload.reset_at", "on")
    if kind != "update_parameters":
        for key in _ONLY_WITH_RULES:
            if key in table:
                raise FileError(f"the key {key!r} goes with update_parameters only", key)
    elif not {"proximity_threshold", "touch_duration"}.intersection(table):
        raise FileError("it changes nothing: give proximity_threshold or touch_duration", "message")
