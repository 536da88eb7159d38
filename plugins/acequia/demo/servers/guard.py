"""Run one server and stop it when the process that asked for it is gone, however it went.

Started as a script by `child.py`, with the standard library only. Its standard input is a pipe held by the parent: the
end of that pipe is the order to stop. Arguments: the signal that stops the server, `uid:gid` or `-`, the folder to
remove at the end, the command.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from typing import Any

PR_SET_PDEATHSIG = 1  # from linux/prctl.h
PATIENCE_S = 10


def main(arguments: list[str]) -> int:
    """Start the command, wait for the end of standard input or of the command; its exit code."""
    try:
        return _run(signal.Signals(int(arguments[0])), arguments[1], arguments[3:])
    finally:
        shutil.rmtree(arguments[2], ignore_errors=True)


def _run(stop: signal.Signals, user: str, command: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: os.close(0))
    server: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - the command is our own
        command, stdin=subprocess.DEVNULL, preexec_fn=lambda: _die_with_guard(stop), **_identity(user)
    )
    while server.poll() is None:
        if _parent_is_gone():
            server.send_signal(stop)
            break
    try:
        return server.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        server.kill()
        return server.wait()


def _parent_is_gone() -> bool:
    try:
        readable, _, _ = select.select([0], [], [], 0.2)
        return bool(readable) and not os.read(0, 1)
    except OSError:
        return True


def _die_with_guard(stop: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(stop))


def _identity(user: str) -> dict[str, Any]:
    if user == "-":
        return {}
    uid, gid = (int(part) for part in user.split(":"))
    return {"user": uid, "group": gid, "extra_groups": []}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
