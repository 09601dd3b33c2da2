"""The controls that a scenario's peer sends, and when.                                                       pure"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from chaos.durations import DurationError, format_duration, parse_duration
from chaos.nearest import unknown_name
from simulator.controls import CONTROL_KINDS, Control

ControlsOn = Literal["control", "input"]
_ON: tuple[ControlsOn, ...] = get_args(ControlsOn)
_KEYS = ("at", "on", "message", "proximity_threshold", "touch_duration", "nested")
_ONLY_WITH_RULES = _KEYS[3:]


class ControlError(ValueError):
    """A control that cannot be; the text is one line that names the message and the key, not the file."""


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
    """The control that one [[controls]] table means. Raises ControlError for the first thing wrong with it."""
    kind = table.get("message")
    if kind is None:
        raise ControlError(f"the key 'message' is missing: say which, one of {', '.join(CONTROL_KINDS)}")
    known = next((each for each in CONTROL_KINDS if each == kind), None)
    if known is None:
        raise ControlError(
            f"message is {kind!r}, which is no control: {unknown_name(str(kind), CONTROL_KINDS)}"
        )
    try:
        for key in table:
            if key not in _KEYS:
                raise ControlError(f"the key {key!r} means nothing here: {unknown_name(key, _KEYS)}")  # noqa: TRY301 - one place adds the kind
        control = Control(
            known,
            proximity_threshold=_distance(table, "proximity_threshold"),
            touch_duration=_seconds(table, "touch_duration"),
            nested=_flag(table, "nested"),
        )
        _go_together(control, table)
        at = _seconds(table, "at")
        if at is None:
            raise ControlError("the key 'at' is missing: say when, as in at = \"10s\"")  # noqa: TRY301 - as above
        return TimedControl(at, control, _on(table, control))
    except ControlError as error:
        raise ControlError(f"{kind}: {error}") from None


def _go_together(control: Control, table: Mapping[str, object]) -> None:
    if control.kind != "update_parameters":
        for key in _ONLY_WITH_RULES:
            if key in table:
                raise ControlError(f"the key {key!r} goes with update_parameters only")
    elif control.proximity_threshold is None and control.touch_duration is None:
        raise ControlError("it changes nothing: give proximity_threshold or touch_duration")


def _on(table: Mapping[str, object], control: Control) -> ControlsOn:
    value = table.get("on", "control")
    for link in _ON:
        if value == link:
            if link == "input" and control.kind == "reset_holds":
                raise ControlError("a reset on the input is no control: write workload.reset_at")
            return link
    raise ControlError(f'on is {value!r}: write on = "control" or on = "input"')


def _seconds(table: Mapping[str, object], key: str) -> float | None:
    if key not in table:
        return None
    try:
        return parse_duration(table[key])
    except DurationError as error:
        raise ControlError(f"{key}: {error}") from None


def _distance(table: Mapping[str, object], key: str) -> float | None:
    value = table.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ControlError(f"{key} is {value!r}: it must be a number of wall units above 0")
    return float(value)


def _flag(table: Mapping[str, object], key: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise ControlError(f"{key} is {value!r}: it must be true or false, without quotes")
    return value
