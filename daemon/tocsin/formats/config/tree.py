"""What the files of a config declare, merged into one tree with the place of everything in it; and that tree as files.

It is the config as written: texts, not values, whatever the files are called and in whichever order things stand.
Decides nothing about what is good (`read`); must not be given a config that was refused.
"""

import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from tocsin.formats.config.entries import SECTIONS
from tocsin.formats.config.file_names import SETTINGS
from tocsin.formats.config.read import Sources
from tocsin.text.yaml import Document, KeyPath, Value, read_yaml

Tree = dict[str, Value]
"""Sections by name with their entries by name, beside them the settings by name."""


@dataclass(frozen=True, slots=True)
class ConfigTree:
    """The merged tree, the document of every entry (of every setting, at its own name), and the calendars' bytes."""

    tree: Tree
    documents: Mapping[KeyPath, Document]
    calendars: Mapping[str, bytes]
    label: str

    def place(self, path: KeyPath, *, key: bool = False) -> tuple[str, int]:
        """File and line of what stands at a path, or of its key."""
        document = self.documents.get(path[:2]) or self.documents[path[:1]]
        return document.file, document.place(path, key=key)[0]


def read_config_tree(files: Mapping[str, bytes], label: str) -> ConfigTree:
    """Everything that a sound config declares. `label` is the folder's name in places."""
    sources = Sources(files, label)
    tree: Tree = {}
    documents: dict[KeyPath, Document] = {}
    for path in sources.fragments():
        document = read_yaml(files[path], sources.name(path))
        for section, entries in _mapping(document.value).items():
            known = tree.setdefault(section, {})
            assert isinstance(known, dict)
            for name, entry in _mapping(entries).items():
                known[name] = _from_root(entry, path) if section == "rotations" else entry
                documents[section, name] = document
    settings = read_yaml(files.get(SETTINGS, b""), sources.name(SETTINGS))
    for name, value in _mapping(settings.value).items():
        tree[name] = value
        documents[name,] = settings
    calendars = {path: data for path, data in files.items() if path.endswith(".ics")}
    return ConfigTree(tree, documents, calendars, label)


def config_tree_files(tree: Tree, calendars: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files that declare a tree: one for each entry, so that none gets too large, and the settings."""
    files = dict(calendars)
    files[SETTINGS] = _text({name: value for name, value in tree.items() if name not in SECTIONS})
    for section in sorted(SECTIONS.keys() & tree.keys()):
        for number, (name, entry) in enumerate(_mapping(tree[section]).items()):
            files[f"{section}-{number}.yaml"] = _text({section: {name: entry}})
    return files


def _text(value: Value) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _mapping(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}


def _from_root(rotation: Value, file: str) -> Value:
    """A rotation whose calendar is named from the config folder, not from its file."""
    if not isinstance(rotation, dict) or not isinstance(rotation.get("calendar"), str):
        return rotation
    calendar = posixpath.normpath(posixpath.join(posixpath.dirname(file), str(rotation["calendar"])))
    return {**rotation, "calendar": calendar}
