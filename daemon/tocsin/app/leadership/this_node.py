"""This machine's daemon, as the others see it: the row that it writes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from tocsin.ports.clock import Clock
from tocsin.ports.leadership import Node, NodeState


@dataclass(slots=True)
class ThisNode:
    """What is known here. `name` and `folder` tell it from others, `id` from the processes that were there before;
    `config` is what is in force or on disk (`compared_revision`), `key` tells its signing key from others',
    `providers_ok` whether it reaches a provider.
    """

    clock: Clock
    name: str
    folder: str
    version: str
    schema: str
    config: str = ""
    key: str = ""
    providers_ok: bool = False
    id: str = field(default_factory=lambda: str(uuid4()))
    _became: Node | None = None

    def row(self, state: NodeState, *, stopped: bool = False) -> Node:
        """The row as it is now, in this state."""
        since = self._became.since if self._became and self._became.state is state else self.clock.now()
        self._became = Node(
            self.id,
            self.name,
            self.folder,
            state,
            since,
            version=self.version,
            config=self.config,
            schema=self.schema,
            key=self.key,
            providers_ok=self.providers_ok,
            stopped=stopped,
        )
        return self._became


def compared_revision(revision: str, digest: str) -> str:
    """A config as machines compare it: git's commit, where it has one, for people; then the `digest` of what they ought
    to have alike, so without tocsin.yaml, which is each one's own. Empty: nothing was read.
    """
    if not revision:
        return ""
    commit = "" if revision.startswith("sha256:") else revision.partition("+")[0]
    return f"{commit} sha256:{digest[:12]}".strip()


def key_fingerprint(keys: Sequence[str]) -> str:
    """What tells the signing keys of one machine from another's without giving them away, in 12 letters; empty: there
    is none. All count, in their order: the first signs, and the others must know what an earlier one signed.
    """
    if not keys:
        return ""
    return hashlib.pbkdf2_hmac("sha256", "\0".join(keys).encode(), b"tocsin signing keys", 100_000, 6).hex()
