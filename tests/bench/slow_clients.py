"""Slowloris: half-open and trickling connections together with normal ones.

python tests/bench/slow_clients.py QUESTIONS --data DIR
"""

import asyncio
import time

from load import Service, build_parser, generate_requests, run_closed_loop, run_service, warm_up

CONNECTIONS = 1000
HEAD = b"POST /v1/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
# Seconds after which the wait for the close is given up.
PATIENCE_SECONDS = 30.0


async def measure_until_closed(running: Service, *, trickling: bool) -> float:
    """Send half a head, then nothing or a byte a second; return the seconds until the close."""
    reader, writer = await asyncio.open_connection(running.host, running.port)
    started = time.perf_counter()
    writer.write(HEAD)
    sending = asyncio.ensure_future(trickle(writer)) if trickling else None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await reader.read()
    except (OSError, TimeoutError):
        pass
    if sending is not None:
        sending.cancel()
    writer.close()
    return time.perf_counter() - started


async def trickle(writer: asyncio.StreamWriter) -> None:
    while True:
        await asyncio.sleep(1)
        writer.write(b"x")


async def main() -> None:
    parser = build_parser(__doc__ or "", 20)
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="of each kind")
    options = parser.parse_args()
    requests = generate_requests(options.questions, cached=options.cached)
    with run_service(options.data) as running:
        await warm_up(running, requests)
        before = await run_closed_loop(running, requests, clients=1, seconds=options.seconds)
        slow = [
            asyncio.ensure_future(measure_until_closed(running, trickling=trickling))
            for trickling in (False, True)
            for _ in range(options.connections)
        ]
        beside = await run_closed_loop(running, requests, clients=1, seconds=options.seconds)
        closed = await asyncio.gather(*slow)
    half, trickled = closed[: options.connections], closed[options.connections :]
    print(f"half-open, the last closed after  {max(half):6.1f} s    aim 10")
    print(f"trickling, the last closed after  {max(trickled):6.1f} s    aim 10")
    print(
        f"normal p50, without and beside    {before.compute_percentile_ms(200, 0.5):6.0f} ms"
        f"{beside.compute_percentile_ms(200, 0.5):6.0f} ms"
    )
    print(
        f"normal p99, without and beside    {before.compute_percentile_ms(200, 0.99):6.0f} ms"
        f"{beside.compute_percentile_ms(200, 0.99):6.0f} ms   aim: at most double"
    )
    print(f"statuses                          {dict(beside.statuses)}")


if __name__ == "__main__":
    asyncio.run(main())
