"""Place: whether a ledger lies where SQLite's promises hold. Decides nothing; the operators are told."""

from pathlib import Path

NETWORKED = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "9p", "fuse.sshfs"}
"""File systems whose locks and flushes other machines may not see."""
MOUNTS = Path("/proc/self/mountinfo")


def concern(path: Path, mounts: Path = MOUNTS) -> str:
    """A sentence about a network file system under the ledger; empty when there is none, or nobody can tell."""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
        place = path.resolve()
    except OSError:
        return ""
    kinds = {}
    for line in lines:
        before, _, after = line.partition(" - ")
        point = before.split(" ")[4].encode("utf-8", "surrogateescape").decode("unicode_escape")
        kinds[Path(point)] = after.split(" ")[0]
    kind = next((kinds[parent] for parent in (place, *place.parents) if parent in kinds), "")
    if kind not in NETWORKED:
        return ""
    return f"the ledger {path} is on a network file system ({kind}), where SQLite may lose it; move it to a local disk"
