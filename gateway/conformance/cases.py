"""Runs the Autobahn cases against a gateway of its own and judges them strictly.

Knows neither market data nor the messages of the gateway: /echo gives back what it gets, through the code that serves every
connection. A case passes if both verdicts, that of the messages and that of the goodbye, are OK. INFORMATIONAL means that the
RFC leaves open what happens; such cases are listed. All else fails, NON-STRICT too.
"""

import asyncio
import collections
import contextlib
import json
import subprocess
import sys
import threading

import kosoku

# 12 and 13 are about permessage-deflate, which the gateway does not offer; 8 and 11 are empty in the suite.
ALL = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"]
# How many these are: a suite that finds fewer has not shown what it should.
COUNT = 301
# The longest message of section 9.
LONGEST = 16 << 20


@contextlib.contextmanager
def gateway(binary):
    """The address of a gateway, which is stopped behind the last case."""
    command = [binary, "--listen", "127.0.0.1:0", "--echo", "--inbound-bytes", str(LONGEST)]
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


async def run(url, cases):
    try:
        return await asyncio.wait_for(kosoku.run_fuzzingclient(url, cases), 600)
    except kosoku.FailureError as failure:
        return failure.results


def judge(results):
    """Prints each case that is not strictly OK, and returns how many of these fail."""
    failed = 0
    for case in results:
        verdicts = {case.behavior.value, case.behavior_close.value}
        if verdicts == {"OK"}:
            continue
        word = "left open" if verdicts <= {"OK", "INFORMATIONAL"} else "FAILED"
        print(f"{word} {case.case_id}: {case.behavior.value}, close {case.behavior_close.value}")
        if word == "FAILED":
            failed += 1
            print(f"    {case.result} {case.result_close}\n    wanted: {' '.join(case.expectation.split())}")
    return failed


def main():
    binary, *named = sys.argv[1:]
    with gateway(binary) as where:
        results = asyncio.run(run(f"ws://{where}/echo", named or ALL))
    failed = judge(results)
    print(f"{len(results)} cases, {failed} failed")
    if not named and len(results) != COUNT:
        sys.exit(f"{COUNT} cases were to be run")
    sys.exit(1 if failed else 0)


main()
