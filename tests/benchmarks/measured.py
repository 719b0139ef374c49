"""Runs a command; prints its seconds, its processor time and its peak MiB: `measured.py WORD...`.

A process of its own, without imports to speak of: the kernel counts the memory of whoever starts a
process as that process's, up to the moment when it becomes another program.
"""

import os
import sys
import time


def main(command: list[str]) -> int:
    """Its exit code; the three figures are the last line of stdout."""
    start = time.perf_counter()
    null = os.open(os.devnull, os.O_RDWR)
    streams = [(os.POSIX_SPAWN_DUP2, null, number) for number in (0, 1)]
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=streams)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    sys.stdout.write(f"{wall} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss / 1024}\n")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
