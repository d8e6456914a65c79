"""Records which files a protocol's data are: python scripts/contents.py PROTOCOL FOLDER"""

from __future__ import annotations

import sys
from pathlib import Path

from pixelwise.atomic import write_text
from pixelwise.evaluation import protocol_named
from pixelwise.evaluation.contents import found, list_path, list_text, recorded


def record(protocol: str, root: Path) -> None:
    """Adds the files to the list that the protocol names. Protocols that read other parts of one set share a list."""
    how = protocol_named(protocol)
    path = list_path(how.contents)
    known = recorded(how.contents) if path.exists() else {}
    write_text(path, list_text({**known, **found(how.data.layout(root, how.split))}))


if __name__ == "__main__":
    record(sys.argv[1], Path(sys.argv[2]))
