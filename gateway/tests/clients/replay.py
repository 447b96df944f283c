"""What clients of a recording have in common: they follow it to its end, which the gateway's metrics tell, and then up to the book that
it has come to."""

import asyncio
import json
import urllib.request

# How long a client may need for what waits for it when the feed has ended.
PATIENCE_S = 15


def get(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read()


async def at_the_end(host, path):
    """What the path answers once the feed has ended."""
    while b"depthcast_feed_ended 1\n" not in await asyncio.to_thread(get, f"http://{host}/metrics"):
        await asyncio.sleep(0.2)
    return json.loads(await asyncio.to_thread(get, f"http://{host}{path}"))


async def follow(receive, take, is_final, end):
    """Takes what is received until the feed has ended and what `end` came to has been reached."""
    now = asyncio.get_running_loop().time
    receiving, deadline = asyncio.ensure_future(receive()), None
    while not (end.done() and is_final(end.result())):
        deadline = deadline or (now() + PATIENCE_S if end.done() else None)
        assert not deadline or now() < deadline, "it never comes to the last book"
        done, _ = await asyncio.wait({receiving}, timeout=0.2)
        if done:
            take(receiving.result())
            receiving = asyncio.ensure_future(receive())
    receiving.cancel()
