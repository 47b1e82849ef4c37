"""A real Postfix in a folder of its own, with its own queue and port: `postfix -c`, which needs root and Debian's
package. Mail for its `people` ends in a Maildir each. A policy service and a login service stand beside it.
"""

import base64
import os
import pwd
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.fakes.certificates import Authority

INSTALLED = shutil.which("postfix") is not None and os.geteuid() == 0
"""Whether it can be run here."""

MAIN = """
compatibility_level = 3.6
config_directory = {folder}/etc
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log/mail
maillog_file_prefixes = {folder}/log
myhostname = localhost.localdomain
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
mynetworks =
alias_maps =
alias_database =
queue_run_delay = 1s
smtpd_client_event_limit_exceptions =
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:{policy}
smtpd_tls_chain_files = {certificate}
smtpd_tls_security_level = may
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{login}
smtpd_tls_auth_only = yes
virtual_mailbox_base = {folder}/mail
virtual_mailbox_domains = example.com
virtual_mailbox_maps = inline:{{ {people} }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
virtual_minimum_uid = 1
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """The server. `policy` says what becomes of a recipient, as access(5) has it ("DUNNO", "450 4.2.0 later", "421 …");
    `password` is the one of its user `tocsin`.
    """

    def __init__(self, *people: str, password: str = "pw") -> None:
        self.password = password
        self.policy: Callable[[str], str] = lambda _: "DUNNO"
        self.folder = Path(tempfile.mkdtemp(prefix="postfix-"))
        self.folder.chmod(0o755)
        user = pwd.getpwnam("postfix")
        for name in ("etc", "queue", "data", "log", "mail", "tls"):
            (self.folder / name).mkdir(mode=0o755)
        os.chown(self.folder / "data", user.pw_uid, user.pw_gid)
        os.chown(self.folder / "mail", user.pw_uid, user.pw_gid)
        authority = Authority(self.folder / "tls")
        self.ca_file = authority.ca_file
        self._services = [_serve(_Policy, self), _serve(_Login, self)]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        places = {
            "folder": self.folder,
            "policy": self._services[0].server_address[1],
            "login": self._services[1].server_address[1],
            "certificate": authority.certificate(),
            "uid": user.pw_uid,
            "people": ", ".join(f"{{ {person}@example.com = {person}/ }}" for person in people),
        }
        (self.folder / "etc" / "main.cf").write_text(MAIN.format(**places))
        (self.folder / "etc" / "master.cf").write_text(MASTER.format(port=self.port))
        self.start()

    def start(self) -> None:
        """Start, and wait until it greets."""
        self._postfix("start")
        end = time.monotonic() + 10
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    connection.settimeout(5)
                    assert connection.recv(3) == b"220"
                    return
            except OSError:
                assert time.monotonic() < end, self.log
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop at once; what is in the queue stays."""
        self._postfix("abort")

    def set(self, **settings: str) -> None:
        """Change settings of main.cf, and have every process of it read them."""
        changes = [f"{name}={value}" for name, value in settings.items()]
        subprocess.run(["postconf", "-c", self.folder / "etc", "-e", *changes], check=True, timeout=10)
        self._postfix("reload")
        time.sleep(0.5)

    def close(self) -> None:
        """End everything, and take the folder away."""
        if self._postfix("status", check=False).returncode == 0:
            self.stop()
        for service in self._services:
            service.shutdown()
            service.server_close()
        shutil.rmtree(self.folder)

    def mails(self, person: str, kind: str = "") -> list[EmailMessage]:
        """The mails in somebody's box, of this kind."""
        found = []
        for path in sorted((self.folder / "mail" / person / "new").glob("*")):
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            assert isinstance(mail, EmailMessage)
            if kind in ("", mail["X-Tocsin-Kind"]):
                found.append(mail)
        return found

    @property
    def log(self) -> str:
        """What it logged."""
        path = self.folder / "log" / "mail"
        return path.read_text() if path.exists() else ""

    def _postfix(self, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["postfix", "-c", self.folder / "etc", command], capture_output=True, text=True, timeout=30, check=False
        )
        assert not check or done.returncode == 0, done.stderr + self.log
        return done


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    postfix: Postfix


class _Policy(socketserver.StreamRequestHandler):
    """Postfix asks about each recipient: lines of `name=value`, and an empty one."""

    def handle(self) -> None:
        asked: dict[str, str] = {}
        for line in self.rfile:
            name, _, value = line.decode().strip().partition("=")
            if name:
                asked[name] = value
                continue
            assert isinstance(self.server, _Server)
            self.wfile.write(f"action={self.server.postfix.policy(asked['recipient'])}\n\n".encode())
            asked = {}


class _Login(socketserver.StreamRequestHandler):
    """Postfix asks whether a login is good, by Dovecot's protocol."""

    def handle(self) -> None:
        self.wfile.write(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0123456789abcdef\nDONE\n")
        for line in self.rfile:
            verb, *fields = line.decode().strip().split("\t")
            if verb == "AUTH":
                said = next((field[5:] for field in fields if field.startswith("resp=")), "")
                _, user, password = base64.b64decode(said).decode().split("\0")
                assert isinstance(self.server, _Server)
                good = (user, password) == ("tocsin", self.server.postfix.password)
                self.wfile.write(f"{'OK' if good else 'FAIL'}\t{fields[0]}\tuser={user}\n".encode())


def _serve(handler: Any, postfix: Postfix) -> _Server:
    server = _Server(("127.0.0.1", 0), handler)
    server.postfix = postfix
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
