"""From a command line to how a client is spoken with."""

from pathlib import Path
from typing import Annotated

import typer

from chaos.certificates import authority
from chaos.clients import Client
from chaos.commands.usage import UsageError
from chaos.profile import KINDS, Profile
from chaos.profile_reading import ProfileError, parse_profile, with_flags
from chaos.runner import Speech
from chaos.text_files import text_of

ProfileOption = Annotated[
    Path | None, typer.Option("--profile", help="What the client speaks: a TOML file, see docs/profiles.md.")
]
KindOption = Annotated[str | None, typer.Option("--kind", help=f"What the client does: {', '.join(KINDS)}.")]
IdentityOption = Annotated[
    str | None,
    typer.Option(
        "--identity",
        help="Where its messages have their number: a path such as data.sequence, a /regular expression/, or none.",
    ),
]
PosesOption = Annotated[
    bool, typer.Option("--poses", help="Send it the poses of a climb in place of plain numbered messages.")
]

WALL = ("{wall}", "{calibration}", "{route}")
"""What a command line has in place of the files of a wall: it then is sent poses."""


def chosen_speech(file: Path | None, *, kind: str | None, identity: str | None, poses: bool) -> Speech | None:
    """The profile in the file with what the flags say in place of it; None where nothing is said.

    Raises `ProfileError`.
    """
    if file is None and kind is None and identity is None and not poses:
        return None
    profile = Profile() if file is None else load_profile(file)
    flags = [
        *(() if file is None else ("--profile", str(file))),
        *(() if kind is None else ("--kind", kind)),
        *(() if identity is None else ("--identity", identity)),
        *(("--poses",) if poses else ()),
    ]
    return Speech(with_flags(profile, kind=kind, identity=identity, poses=poses), tuple(flags))


def spoken_with(client: Client, speech: Speech | None) -> Speech | None:
    """What was said of how to speak with this client. Raises `UsageError` where it needs no word of it, `CertificateMissing`."""
    if speech is not None and speech.profile.tls:
        authority()  # that none can be made is said now, and not in each run
    if client.role == "tracker":
        if speech is not None:
            raise UsageError(f"{' '.join(speech.flags)}: the tracker is known: this is for other clients")
        return None
    if any(place in client.name for place in WALL) and (speech is None or not speech.profile.poses):
        profile = Profile(kind=client.role) if speech is None else speech.profile
        return Speech(with_flags(profile, poses=True), () if speech is None else speech.flags)
    return speech


def said_to_scale(speech: Speech | None) -> bool:
    """Whether a profile says so of its program."""
    return speech is not None and speech.profile.scales_itself


def load_profile(file: Path) -> Profile:
    """The profile in `file`. Raises `ProfileError`, also for a file that cannot be read."""
    return parse_profile(text_of(file, "a profile's TOML file", ProfileError), file)
