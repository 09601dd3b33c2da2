"""The XML of a drawing, which is not trusted: no entities, nothing fetched, and no more of it than a wall needs.  pure"""

from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import XMLParser

from tracker.drawing.problems import WallError

MAX_ELEMENTS = 200_000
"""Of a drawing; and of what is drawn of it, each use of an element counted."""

_SVG = "{http://www.w3.org/2000/svg}"


class _Builder(TreeBuilder):
    """Builds the tree while it is not too large."""

    def __init__(self) -> None:
        super().__init__()
        self._left = MAX_ELEMENTS
        self.sheets = 0

    def start(self, tag: str, attributes: dict[str, str]) -> Element:
        self._left -= 1
        if self._left < 0:
            raise WallError(
                f"it has more than {MAX_ELEMENTS:,} elements, more than a wall needs; simplify it"
            )
        return super().start(tag, attributes)

    def pi(self, target: str, text: str | None = None) -> Element:
        """A style sheet of another file is asked for outside of the tree."""
        self.sheets += target == "xml-stylesheet"
        return super().pi(target, text)


def read_document(data: bytes) -> tuple[Element, int]:
    """Return the outermost element, and how many style sheets of other files it asks for. Raises `WallError`."""
    builder = _Builder()
    try:
        parser = XMLParser(target=builder)
        parser.feed(data)
        root: Element = parser.close()
    except ParseError as error:
        raise WallError(f"not well-formed XML ({error}); export it again as plain SVG") from None
    except DefusedXmlException as error:
        raise WallError(
            f"it declares XML entities ({error}), which are not read; export it again as plain SVG"
        ) from None
    except (ValueError, LookupError) as error:  # an encoding that does not exist or does not fit
        if isinstance(error, WallError):
            raise
        raise WallError(f"its encoding cannot be read ({error}); save it as UTF-8") from None
    if local_name(root) != "svg" or is_foreign(root):
        raise WallError(f"its outermost element is <{local_name(root)}>, not <svg>; name an SVG file")
    return root, builder.sheets


def local_name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def is_foreign(element: Element) -> bool:
    """Tell whether an element is none of SVG's. One without any namespace is taken for one of SVG's."""
    return element.tag.startswith("{") and not element.tag.startswith(_SVG)


def is_hold(element: Element) -> bool:
    """Tell whether an element's list of classes has `hold`."""
    return "hold" in element.get("class", "").split()


def href(element: Element) -> str:
    """Return what an element refers to, as SVG 2 or else SVG 1.1 says it."""
    return (element.get("href") or element.get("{http://www.w3.org/1999/xlink}href") or "").strip()
