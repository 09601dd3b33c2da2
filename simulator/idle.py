"""The frames of nobody: the smallest messages that the tracker takes for poses, and makes outputs of."""

from simulator.climber import START_MS

_OUT_OF_SIGHT = '{"x":0,"y":0,"z":0,"visibility":0}'
_FRAME = '{"timestamp":%d,"sequence":%d,"landmarks":[' + ",".join([_OUT_OF_SIGHT] * 33) + "]}"


def idle_frame(fps: float, number: int) -> bytes:
    """The encoded input message of a frame, of which there are `fps` a second; `sequence` is its number."""
    return (_FRAME % (START_MS + round(number * 1000 / fps), number)).encode()
