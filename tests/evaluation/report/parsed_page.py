"""A page as a browser reads it: elements, what they refer to, and the data for its script."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "link", "img", "input", "br", "hr"}


class ParsedPage(HTMLParser):
    """Raises AssertionError for elements that are not closed in order.

    Attributes:
        elements: tag and attributes of each, in order.
        texts: all text between tags, scripts and styles not among it.
        content: the data for the script.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.content: Any = None
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        tag, attributes = self._open[-1] if self._open else ("", {})
        if attributes.get("id") == "content":
            self.content = json.loads(data)
        elif tag not in ("script", "style") and data.strip():
            self.texts.append(data.strip())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def references(self) -> list[str]:
        """Whatever a browser would fetch, or a reader could follow, but for places in the page itself."""
        found = (attributes.get(name) for _, attributes in self.elements for name in ("src", "href", "xlink:href"))
        return [address for address in found if address is not None and not address.startswith("#")]
