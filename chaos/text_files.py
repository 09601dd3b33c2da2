"""The text of a file that a user names on the command line."""

from pathlib import Path

from tracker.user_files import in_utf8, read_whole


def text_of(file: Path, what: str, cannot: type[Exception]) -> str:
    """The file's text; `what` it should be stands in the error, as in "a scenario's TOML file".

    Raises `cannot` with one line, for a file that is not there, is no regular one, is too large, or is not Unicode.
    """
    try:
        return in_utf8(read_whole(file)).decode()
    except OSError as error:
        why = (error.strerror or "it cannot be read").lower()
        raise cannot(f"{file}: {why}; give the path of {what}") from None
    except UnicodeDecodeError as error:
        raise cannot(f"{file}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
