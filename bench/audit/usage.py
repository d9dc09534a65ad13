"""Runs a command and prints what it used as JSON: seconds by the clock, seconds of all processors, peak RSS in kB.

usage: usage.py < JOB
JOB is JSON: command, cwd, env

On a busy machine the clock tells more of its other work than of this; processor seconds tell less.
"""

import json
import os
import subprocess
import sys
import time

job = json.load(sys.stdin)
started = time.monotonic()
child = subprocess.Popen(
    job["command"], cwd=job["cwd"], env=job["env"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
)
_, status, usage = os.wait4(child.pid, 0)
seconds = time.monotonic() - started
child.returncode = os.waitstatus_to_exitcode(status)
if child.returncode != 0:
    sys.exit(f"{job['command']} ended with {child.returncode}")
cpu = usage.ru_utime + usage.ru_stime
print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": usage.ru_maxrss}))
