"""Runs a command some times, one after the other, and prints the most memory that each run held at once (peak RSS), in kB.

usage: peak.py < JOB
JOB is JSON: command, cwd, env, runs

node does not tell this of its children. The kernel's figure is the largest single process of the run: the command's own or
one that it waited for, whichever was larger, never their sum. It is never less than what this program holds when it starts
the command, some 15 MB.
"""

import json
import os
import subprocess
import sys

job = json.load(sys.stdin)
for _ in range(job["runs"]):
    child = subprocess.Popen(
        job["command"],
        cwd=job["cwd"],
        env=job["env"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        # Not the same pipe: some launchers do more to keep the order of two streams that lead to one place.
        stderr=subprocess.PIPE,
    )
    output = child.stdout.read() + child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{job['command']} ended with {child.returncode}: {output}")
    print(usage.ru_maxrss)
