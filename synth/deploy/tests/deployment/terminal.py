#!/usr/bin/env python3
"""Runs a command at a terminal of its own and answers what it asks: `terminal.py ANSWERS COMMAND…`.

ANSWERS is a JSON list of pairs: what is waited for, and what is typed then. All that the terminal showed is written to standard
output, and the exit code is the command's."""

import json
import os
import pty
import sys
import time

answers = [[part.encode() for part in pair] for pair in json.loads(sys.argv[1])]
process, terminal = pty.fork()
if process == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown, read = b"", 0
while True:
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        chunk = b""
    if not chunk:
        break
    shown += chunk
    while answers and answers[0][0] in shown[read:]:
        read = shown.index(answers[0][0], read) + len(answers[0][0])
        # A person takes longer to answer than a program to turn the echo off after its question.
        time.sleep(0.3)
        os.write(terminal, answers.pop(0)[1] + b"\n")
sys.stdout.buffer.write(shown)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
