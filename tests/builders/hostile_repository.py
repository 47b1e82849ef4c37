"""A repository whose own config names a program at every place where git may run one, as an unpacked archive could."""

import os
import subprocess
from pathlib import Path

PROGRAMS = (
    "core.fsmonitor", "core.hooksPath", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "core.gitProxy",
    "core.alternateRefsCommand", "sequence.editor", "pager.log", "pager.status", "gpg.program", "gpg.openpgp.program",
    "gpg.x509.program", "gpg.ssh.program", "gpg.ssh.defaultKeyCommand", "diff.external", "interactive.diffFilter",
    "diff.evil.command", "diff.evil.textconv", "filter.evil.clean", "filter.evil.smudge", "filter.e=vil.smudge",
    "filter.many.process", "merge.evil.driver", "credential.helper", "credential.https://git.example.com.helper",
    "remote.origin.uploadpack", "remote.origin.receivepack", "remote.promisor.uploadpack",
    "uploadpack.packObjectsHook", "gc.recentObjectsHook", "submodule.sub.update", "alias.status", "alias.rev-list",
    "hook.evil.command", "trailer.evil.command", "tar.evil.command", "sendemail.toCmd", "man.evil.cmd",
    "browser.evil.cmd", "merge.tool", "mergetool.evil.cmd", "receive.procReceiveRefs",
)  # fmt: skip
"""Names of git's config whose value is, or may lead to, a program."""
HOOKS = (
    "post-checkout", "post-merge", "post-rewrite", "pre-auto-gc", "reference-transaction", "post-index-change",
    "fsmonitor-watchman", "pre-merge-commit", "sendemail-validate", "update", "post-update", "pre-receive",
)  # fmt: skip
SWITCHES = {
    "log.showSignature": "true", "merge.verifySignatures": "true", "submodule.recurse": "true", "gc.auto": "1",
    "fetch.recurseSubmodules": "true", "filter.evil.required": "true", "filter.many.required": "true",
    "protocol.allow": "always", "protocol.ext.allow": "always", "extensions.partialClone": "promisor",
    "hook.evil.event": "post-merge", "branch.main.mergeOptions": "--verify-signatures --autostash",
    "remote.promisor.promisor": "true", "core.untrackedCache": "true", "gpg.format": "openpgp",
    "maintenance.prefetch.enabled": "true",
}  # fmt: skip
"""What has such a program run where it would not be."""


class HostileRepository:
    """Makes a work tree hostile. `ran` are the places whose program was run since."""

    def __init__(self, top: Path, canaries: Path) -> None:
        self.top, self._canaries = top, canaries
        canaries.mkdir()
        self._git_folder = Path(self._git("rev-parse", "--absolute-git-dir"))

    @property
    def ran(self) -> list[str]:
        """The places, in order."""
        log = self._canaries / "ran"
        return log.read_text().splitlines() if log.exists() else []

    def turn(self, *, included: bool = False) -> None:
        """From now on every place names a program. `included`: in a file that the config includes."""
        file = self._git_folder / ("more" if included else "config")
        values = (
            {name: self.program(name) for name in PROGRAMS}
            | SWITCHES
            | {
                "core.hooksPath": str(self._canaries / "core.hooksPath.d"),
                f"url.ext::{self.program('insteadOf')} .insteadOf": "evil:",
                "remote.promisor.url": str(self.top),
            }
        )
        with file.open("a") as config:
            config.writelines(_entry(name, value) for name, value in values.items())
        with (self._git_folder / "config").open("a") as config:
            config.write(_entry("core.repositoryFormatVersion", "1"))
            config.write(_entry("include.path", str(file)) if included else "")
        for hook in HOOKS:
            for folder in (self._git_folder / "hooks", self._canaries / "core.hooksPath.d"):
                folder.mkdir(exist_ok=True)
                self._script(folder / hook, hook)
        (self._git_folder / "info").mkdir(exist_ok=True)
        for pattern in ("*.yaml filter=evil diff=evil merge=evil", "*.txt filter=many", "*.md filter=e=vil"):
            with (self._git_folder / "info" / "attributes").open("a") as attributes:
                attributes.write(f"{pattern}\n")
        alternates = self._canaries / "alternate"
        subprocess.run(["git", "init", "-q", "--bare", str(alternates)], check=True)
        (self._git_folder / "objects" / "info" / "alternates").write_text(f"{alternates}/objects\n")

    def program(self, name: str) -> str:
        """A program that notes that it was run, for this place."""
        path = self._canaries / f"run-{name.replace('/', '_')}"
        self._script(path, name)
        return str(path)

    def _script(self, path: Path, name: str) -> None:
        path.write_text(f"#!/bin/sh\necho '{name}' >> {self._canaries}/ran\nexit 1\n")
        path.chmod(0o755)

    def _git(self, *arguments: str) -> str:
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(["git", *arguments], cwd=self.top, env=own, check=True, capture_output=True, text=True)
        return done.stdout.strip()


def _entry(name: str, value: str) -> str:
    """A line of git's config."""
    section, _, rest = name.partition(".")
    middle, _, key = rest.rpartition(".")
    return f'[{section} "{middle}"]\n\t{key} = {value}\n' if middle else f"[{section}]\n\t{key} = {value}\n"
