"""What a client's climb was made of, as the peer offered it.                                                pure

Which frames a client took, only it can say: what a connection still carried when it broke may have come or not. What
lies between those frames it does not say: a connection keeps the order, so a reset that was written before a frame that
was taken counts, whether the client speaks of it or not, and one that nobody offered counts for nothing.
"""

from collections import deque
from collections.abc import Iterator

from chaos.answer import NewRules, Reset, Step
from chaos.history import History
from chaos.judging.evidence import same_connections
from simulator import events as peer
from tracker import events


def climbed(history: History) -> Iterator[Step]:
    """The frames, resets and new rules of one client's record, in the order in which it took them."""
    offers = _offers(history)
    numbers = {link: same_connections(history, link) for link in ("input", "control")}
    waiting: dict[str, deque[_Offer]] = {"input": deque(), "control": deque()}
    for event in history.events:
        if isinstance(event, events.Connected):
            if event.link in waiting:
                waiting[event.link] = offers.get(numbers[event.link].get(event.connection, 0), deque())
        elif isinstance(event, events.Received):
            if event.sequence is not None:
                yield from _up_to_frame(event.sequence, waiting["input"])
                yield event.sequence
        elif isinstance(event, events.SessionReset):
            yield from _reset(waiting[event.link], event.link)
        elif isinstance(event, events.Controlled) and event.kind == "update_parameters":
            yield from _new_rules(waiting["control"])


_Offer = peer.Offered | peer.ResetOffered | peer.ControlOffered


def _offers(history: History) -> dict[int, "deque[_Offer]"]:
    """By the peer's number of the connection, in order."""
    found: dict[int, deque[_Offer]] = {}
    for event in history.among(peer.Offered, peer.ResetOffered, peer.ControlOffered):
        if isinstance(event, _Offer):
            found.setdefault(event.connection, deque()).append(event)
    return found


def _up_to_frame(sequence: int, waiting: "deque[_Offer]") -> Iterator[Reset]:
    """The resets that were written before the frame."""
    if not any(isinstance(offer, peer.Offered) and offer.sequence == sequence for offer in waiting):
        return
    while waiting:
        offer = waiting.popleft()
        if isinstance(offer, peer.ResetOffered):
            yield Reset()
        elif isinstance(offer, peer.Offered) and offer.sequence == sequence:
            return


def _reset(waiting: "deque[_Offer]", link: events.LinkName) -> Iterator[Reset]:
    """One that the client took, if it was offered: on the input it is the next, or the frames after it will tell of it;
    on the control link only the client knows when.
    """
    if link == "input":
        if waiting and isinstance(waiting[0], peer.ResetOffered):
            waiting.popleft()
            yield Reset()
    elif any(isinstance(offer, peer.ControlOffered) and offer.kind == "reset_holds" for offer in waiting):
        _next_control("reset_holds", waiting)
        yield Reset()


def _new_rules(waiting: "deque[_Offer]") -> Iterator[NewRules]:
    offer = _next_control("update_parameters", waiting)
    if offer is not None:
        yield NewRules(offer.proximity_threshold, offer.touch_duration)


def _next_control(kind: str, waiting: "deque[_Offer]") -> peer.ControlOffered | None:
    while waiting:
        offer = waiting.popleft()
        if isinstance(offer, peer.ControlOffered) and offer.kind == kind:
            return offer
    return None
