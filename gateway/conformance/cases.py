"""Runs the Autobahn cases against a gateway of its own and judges them strictly.

Knows neither market data nor the messages of the gateway: /echo gives back what it gets, through the code that serves every
connection. A case passes if both verdicts, that of the messages and that of the goodbye, are OK. INFORMATIONAL means that the
RFC leaves open what happens; such cases are listed. All else fails: NON-STRICT too, and UNIMPLEMENTED, and a case about
compression in which nothing came back compressed though it was worth it.

One thing about compression the suite does not see: its inflater, zlib-rs, keeps the whole window, whichever was agreed on (13.3,
13.5, 13.7). That the gateway refers no farther back is shown by gateway/wire/tests/websocket/deflate.rs.
"""

import asyncio
import collections
import contextlib
import fnmatch
import json
import os
import subprocess
import sys
import threading

import kosoku
from kosoku.cases import CASES

# How many there are: a suite that finds fewer has not shown what it should.
COUNT = 517
# The longest message of section 9.
LONGEST = 16 << 20
# The sections about permessage-deflate (RFC 7692).
DEFLATE = ("12.", "13.")
# From so many bytes on a message is worth compressing, whatever it holds of what the suite sends.
COMPRESSIBLE = 1024
# The longest that a part of the suite may take, in seconds.
PATIENCE = 600


@contextlib.contextmanager
def gateway(binary):
    """The address of a gateway, which is stopped behind the last case."""
    command = [binary, "--listen", "127.0.0.1:0", "--echo", "--deflate", "--inbound-bytes", str(LONGEST)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield address(process.stderr)
        if process.poll() is not None:
            sys.exit(f"the gateway ended with status {process.returncode}")
    finally:
        process.terminate()
        process.wait(10)


def address(log):
    """Reads the log up to the line that names the address, and leaves the rest to a thread so that the pipe never fills."""
    for line in log:
        said = json.loads(line) if line.startswith("{") else {}
        if said.get("message") == "serving":
            threading.Thread(target=collections.deque, args=(log, 0), daemon=True).start()
            return said["address"]
        print(line, end="", file=sys.stderr)
    sys.exit("the gateway ended before it served")


def give_bytes(case):
    """Mends kosoku 0.1.0 for a case about compression, which hashes the bytes of what comes back: kosoku hands it bytes if the
    message came compressed, but a str if not, and then fails itself ("Strings must be encoded before hashing"). A server may
    send any message uncompressed (RFC 7692 section 6); short ones, and those that would not get shorter, are sent so.
    """
    judge_bytes = case.onMessage

    def on_message(self, message, binary):
        if isinstance(message, str):
            message = message.encode("latin-1" if binary else "utf-8")
        judge_bytes(self, message, binary)

    case.onMessage = on_message


def chosen(patterns):
    """The ids that match, in two parts: cases with deadlines in the order of a second, to be run one by one, and those about
    compression, which take most of the time and may share it.
    """
    for pattern in patterns:
        if not fnmatch.filter(CASES, pattern):
            sys.exit(f"there is no case {pattern}")
    ids = [case for case in CASES if any(fnmatch.fnmatchcase(case, pattern) for pattern in patterns)]
    deflate = [case for case in ids if case.startswith(DEFLATE)]
    return [case for case in ids if case not in deflate], deflate


async def run(url, cases, concurrency):
    if not cases:
        return []
    try:
        run = kosoku.run_fuzzingclient(url, cases, concurrency=concurrency)
        return await asyncio.wait_for(run, PATIENCE)
    except kosoku.FailureError as failure:
        return failure.results


def judge(results):
    """Prints each case that is not strictly OK, and returns how many of these fail."""
    failed = 0
    for case in results:
        verdicts = {case.behavior.value, case.behavior_close.value}
        idle = is_idle(case)
        if verdicts == {"OK"} and not idle:
            continue
        word = "left open" if verdicts <= {"OK", "INFORMATIONAL"} and not idle else "FAILED"
        print(f"{word} {case.case_id}: {case.behavior.value}, close {case.behavior_close.value}")
        if word == "FAILED":
            failed += 1
            result = "Nothing came back compressed." if idle else f"{case.result} {case.result_close}"
            print(f"    {result}\n    wanted: {' '.join(case.expectation.split())}")
    return failed


def is_idle(case):
    """Whether a case about compression saw none, though its messages are worth it."""
    if not case.case_id.startswith(DEFLATE) or CASES[case.case_id].LEN < COMPRESSIBLE or not case.traffic_stats:
        return False
    return case.traffic_stats.__json__()["incomingCompressionRatio"] >= 1


def main():
    binary, *named = sys.argv[1:]
    strict, deflate = chosen(named or ["*"])
    for case in deflate:
        give_bytes(CASES[case])
    with gateway(binary) as where:
        # A ping of the gateway's own ends a case of the suite: at the usual 20 s one may come within a case about compression on a
        # slow machine.
        url = f"ws://{where}/echo?ping_s=300"
        results = asyncio.run(run(url, strict, 1)) + asyncio.run(run(url, deflate, os.cpu_count()))
    failed = judge(results)
    print(f"{len(results)} cases, {failed} failed")
    if not named and len(results) != COUNT:
        sys.exit(f"{COUNT} cases were to be run")
    sys.exit(1 if failed else 0)


main()
