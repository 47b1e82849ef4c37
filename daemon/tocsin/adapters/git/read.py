"""Which commit a folder stands at, and what it held at a revision. It must not know what a config is.

Only what reads is run, never anything that would touch the work tree or the index. Where there is no git, or no
repository, there is simply no revision.
"""

import hashlib
import os
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tocsin.adapters.files.rights import is_folder
from tocsin.adapters.files.safe_open import read_regular
from tocsin.adapters.git import command

FILES_LIMIT = 2000
"""The most files that are read out of one revision."""
TOTAL_LIMIT = 32 * 1024 * 1024
"""The most bytes of all of them together."""
COMPARED_MOST = 16 << 20
"""The most bytes of a file that is compared with what was committed; a larger one counts as changed."""
LINKS_LIMIT = 8
"""The most links from one to the next that are followed."""

_LINK, _FILE, _FOLDER = "120000", ("100644", "100755"), "/"


@dataclass(frozen=True, slots=True)
class Revision:
    """A folder as it was in a commit. `paths` are the files in it by their path relative to the folder, each with the
    name of its blob and its size; `links` what a symbolic link at a path points to.
    """

    name: str
    commit: str
    repository: Path
    prefix: str
    paths: Mapping[str, tuple[str, int]] = field(repr=False)
    links: Mapping[str, str] = field(repr=False)


class Lack(StrEnum):
    """What there is not: a repository around the folder (or git itself), the revision, or the folder in it."""

    REPOSITORY = "repository"
    REVISION = "revision"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class NoRevision:
    """Why a revision cannot be read. `known` are names that could be meant; a `shallow` clone lacks most commits;
    `distrust`: git may read the repository, and will not.
    """

    lack: Lack
    known: tuple[str, ...] = ()
    shallow: bool = False
    distrust: str = ""


def _git(folder: Path, *arguments: str) -> str | None:
    """The output of a look, as text without the blanks around it; None when git fails."""
    done = command.run(folder, arguments, command.LOOK_DEADLINE)
    return None if done.status else done.line


def _bytes(folder: Path, *arguments: str, lines: bytes = b"") -> bytes | None:
    """The output of a command that reads files, as it is; None when git fails."""
    done = command.run(folder, arguments, command.READ_DEADLINE, lines)
    return None if done.status else done.output


def commit(folder: Path) -> str | None:
    """The last commit that touched the folder, 12 digits, with a `+` behind it when the folder differs from it; None
    when the folder is in no commit.
    """
    if _git(folder, "rev-parse", "--quiet", "--verify", "HEAD:./") is None:
        return None
    newest = _git(folder, "rev-list", "-1", "--abbrev-commit", "--abbrev=12", "HEAD", "--", ".")
    listing = _bytes(folder, "ls-tree", "-r", "-z", "-l", "HEAD")
    there = _bytes(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if not newest or listing is None or there is None:
        return None
    committed = {path: (mode, name, size) for mode, name, size, path in _entries(listing)}
    beside = any(os.fsdecode(path) not in committed for path in there.split(b"\0") if path)
    differs = beside or any(not _is_as_committed(folder / path, *entry) for path, entry in committed.items())
    return newest + ("+" if differs else "")


def _is_as_committed(path: Path, mode: str, name: str, size: int) -> bool:
    """Whether a file is, byte for byte, what was committed. Git itself might ask a filter that the repository names."""
    if size > COMPARED_MOST:
        return False
    try:
        data = os.fsencode(path.readlink()) if mode == _LINK else read_regular(path, size + 1)
    except OSError:
        return False
    digest = hashlib.sha256 if len(name) == len(hashlib.sha256().hexdigest()) else hashlib.sha1
    return len(data) == size and digest(b"blob %d\0" % size + data, usedforsecurity=False).hexdigest() == name


def revision(folder: Path, name: str) -> Revision | NoRevision:
    """The folder as it was at a revision (a branch, a tag, a commit, `HEAD~3`). It need not exist now."""
    nearest = next(path for path in (folder.absolute(), *folder.absolute().parents) if is_folder(path))
    look = command.run(nearest, ("rev-parse", "--show-toplevel"), command.LOOK_DEADLINE)
    top = "" if look.status else look.line
    if not top:
        return NoRevision(Lack.REPOSITORY, distrust=look.distrust)
    commit_id = _git(nearest, "rev-parse", "--quiet", "--verify", f"{name}^{{commit}}") if _sound(name) else None
    if not commit_id:
        known = _git(nearest, "for-each-ref", "--format=%(refname:short)", "--count=1000") or ""
        shallow = _git(nearest, "rev-parse", "--is-shallow-repository") == "true"
        return NoRevision(Lack.REVISION, tuple(known.splitlines()), shallow)
    inside = Path(os.path.realpath(nearest), folder.absolute().relative_to(nearest))
    if not inside.is_relative_to(os.path.realpath(top)):  # its config names another work tree
        return NoRevision(Lack.REPOSITORY)
    prefix = posixpath.normpath(inside.relative_to(os.path.realpath(top)).as_posix())
    prefix = "" if prefix == "." else prefix
    listing = _bytes(Path(top), "ls-tree", "-r", "-z", "-l", "--full-tree", f"{commit_id}:{prefix}")
    if listing is None:
        return NoRevision(Lack.FOLDER)
    paths, links = {}, {}
    for mode, blob, size, path in _entries(listing):
        if mode == _LINK:
            links[path] = blob
        elif mode in _FILE:
            paths[path] = (blob, size)
    targets = blobs(Path(top), list(links.values()))
    return Revision(
        name,
        commit_id,
        Path(top),
        prefix,
        paths,
        {path: os.fsdecode(targets.get(blob, b"")) for path, blob in links.items()},
    )


def files(source: Revision, limit: Callable[[str], int]) -> tuple[dict[str, bytes], dict[str, str]]:
    """The wanted files of a revision by their path, and the paths that could not be read, each with why. `limit` is the
    most bytes of a file, 0 for one that is not wanted; a file over it comes as one byte too many, for the reader to
    refuse.
    """
    wanted: dict[str, tuple[str, bool, int]] = {}
    trouble: dict[str, str] = {}
    total = 0
    for path in sorted({*source.paths, *source.links}):
        most = limit(path)
        target = _followed(source, path) if path in source.links else path
        if target == _FOLDER:
            trouble[path] = "is a link to a folder, which is not followed; put the folder itself here"
        elif not most:
            continue
        elif len(wanted) >= FILES_LIMIT:
            trouble[path] = f"is not read: over {FILES_LIMIT} files"
            break
        elif target is None:
            trouble[path] = "is a link that leads to no file of its folder; put the file itself here"
        else:
            blob, size = source.paths[target]
            total += min(size, most)
            if total > TOTAL_LIMIT:
                trouble[path] = f"is not read: all files together are over {TOTAL_LIMIT // 1024 // 1024} MiB"
                break
            wanted[path] = (blob, size > most, most)
    read = blobs(source.repository, [blob for blob, over, _ in wanted.values() if not over])
    files = {
        path: b" " * (most + 1) if over else read[blob]
        for path, (blob, over, most) in wanted.items()
        if over or blob in read
    }
    return files, trouble | {path: "cannot be read out of git" for path in wanted if path not in files}


def blob(source: Revision, path: str) -> bytes | None:
    """One file of the revision, by its path relative to the folder (`..` may lead out of it); None if there is none."""
    inside = posixpath.normpath(posixpath.join(source.prefix, path))
    if inside.startswith(("../", "/")):
        return None
    return _bytes(source.repository, "cat-file", "blob", f"{source.commit}:{inside}")


def blobs(repository: Path, names: Sequence[str]) -> dict[str, bytes]:
    """What blobs hold, by their names; those that are not there are left out."""
    lines = "".join(f"{name}\n" for name in dict.fromkeys(names)).encode()
    output = _bytes(repository, "cat-file", "--batch", lines=lines) if names else b""
    contents: dict[str, bytes] = {}
    at = 0
    while output and (end := output.find(b"\n", at)) >= 0:
        name, kind, *rest = output[at:end].decode().split(" ")
        size = int(rest[0]) if kind == "blob" else -1
        if size >= 0:
            contents[name] = output[end + 1 : end + 1 + size]
        at = end + 2 + size
    return contents


def _sound(name: str) -> bool:
    """Whether git may be asked for this name: what begins with `-` would be an option."""
    return bool(name) and not name.startswith("-") and name.isprintable()


def _entries(listing: bytes) -> Iterator[tuple[str, str, int, str]]:
    """Mode, blob, size and path of each line of `ls-tree -l -z`; submodules are left out."""
    for line in listing.split(b"\0"):
        about, _, path = line.partition(b"\t")
        if path:
            mode, kind, name, size = about.decode().split()
            if kind == "blob":
                known = int(size) if size.isdecimal() else 0  # one that is missing has none
                yield mode, name, known, os.fsdecode(path)


def _followed(source: Revision, path: str) -> str | None:
    """The file that a link leads to, `/` for a folder, None when it leads nowhere or outside."""
    for _ in range(LINKS_LIMIT):
        target = source.links[path]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if path in source.paths:
            return path
        if path not in source.links:
            inside = not target.startswith("/") and any(file.startswith(f"{path}/") for file in source.paths)
            return _FOLDER if inside else None
    return None
