"""Files on their way into a host: the tar that Docker takes."""

import io
import tarfile
import time
from pathlib import Path


def pack(source: Path | bytes, name: str, mode: int | None = None) -> bytes:
    """Return a tar of a file, a folder or bytes under one name, all of it owned by root."""

    def own(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        if mode is not None and entry.isfile():
            entry.mode = mode
        return entry

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        if isinstance(source, bytes):
            entry = tarfile.TarInfo(name)
            entry.size = len(source)
            entry.mtime = int(time.time())
            tar.addfile(own(entry), io.BytesIO(source))
        else:
            # A link is followed at the top only: inside a folder it stays one.
            tar.add(source.resolve(), name, filter=own)
    return packed.getvalue()
