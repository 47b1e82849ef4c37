"""pgbouncer between daemons and their database, in transaction mode: a connection is another one at each transaction."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

INI = """
[databases]
{database} = host={host} port={at} dbname={database} user={user} {password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 8
max_client_conn = 200
server_reset_query =
logfile = {folder}/log
pidfile = {folder}/pid
"""


class PgBouncer:
    """The pooler; `address` is how the database is reached through it. Skips where it is not installed."""

    def __init__(self, folder: Path, database: str) -> None:
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            pytest.skip("there is no pgbouncer here")
        asked = conninfo_to_dict(database)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        folder.mkdir()
        password = f"password='{asked['password']}'" if "password" in asked else ""
        text = INI.format(
            database=asked["dbname"], host=asked["host"], at=asked.get("port", 5432), user=asked["user"],
            password=password, port=port, folder=folder,
        )  # fmt: skip
        (folder / "ini").write_text(text)
        as_whom = []
        if os.geteuid() == 0:  # it refuses root
            for path in (folder, folder / "ini"):
                shutil.chown(path, "nobody", "nogroup")
            for above in folder.parents:
                if above.stat().st_uid == os.getuid() and above != Path("/tmp"):
                    above.chmod(above.stat().st_mode | 0o011)
            as_whom = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        self._process = subprocess.Popen([*as_whom, program, "-q", folder / "ini"], stderr=subprocess.DEVNULL)
        self.address = f"postgresql://{asked['user']}:any@127.0.0.1:{port}/{asked['dbname']}"
        self._wait(port, folder)

    def _wait(self, port: int, folder: Path) -> None:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            assert self._process.poll() is None, (folder / "log").read_text()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("pgbouncer does not listen")

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
