"""Records which files a protocol's data are: python scripts/contents.py PROTOCOL FOLDER"""

from __future__ import annotations

import sys
from pathlib import Path

from pixelwise.atomic import write_text
from pixelwise.errors import InputError
from pixelwise.evaluation import protocol_named
from pixelwise.evaluation.contents import found, list_path, list_text, recorded


def record(protocol: str, root: Path) -> None:
    """Adds the files to the list that the protocol names. Protocols that read other parts of one set share a list.

    Raises InputError for a protocol that names none, and for data that are not there.
    """
    how = protocol_named(protocol)
    if not how.contents:
        raise InputError(f"{protocol}: names no list that its files could stand in; see Protocol.contents")
    path = list_path(how.contents)
    known = recorded(how.contents) if path.exists() else {}
    write_text(path, list_text({**known, **found(how.data.layout(root, how.split))}))


if __name__ == "__main__":
    record(sys.argv[1], Path(sys.argv[2]))
