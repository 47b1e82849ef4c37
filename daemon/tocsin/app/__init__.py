"""Floor 4: what the daemon, the commands and the web side do, a folder for each subject. asyncio lives here.

structlog takes rich for its tracebacks wherever that is installed. Ours are its plain ones, and `tocsin ack` shall not
wait 0.05 s for it: so structlog is imported here, before anything that logs, and finds none.
"""

import sys

_known = {name: module for name, module in sys.modules.items() if name == "rich"}
sys.modules["rich"] = None  # type: ignore[assignment]  # Python's own mark of what cannot be imported
import structlog  # noqa: E402, F401

del sys.modules["rich"]
sys.modules.update(_known)
