"""Clients that disconnect mid-stream or at once: `hang_ups.py QUESTIONS --data DIR`."""

import asyncio
import re
import socket
import struct
import time
from collections.abc import Iterator

from load import Client, Service, build_parser, generate_requests, run_service, warm_up

# Clients of each kind, clients at once, and clients before anything is measured.
CLIENTS = 500
AT_ONCE = 10
WARMING = 50
WORK = re.compile(rb"^citewire_(?:requests|questions)_(?:running|waiting) (\S+)$", re.MULTILINE)
# SO_LINGER with a timeout of 0: closing sends RST instead of FIN.
RESETTING = struct.pack("ii", 1, 0)


async def hang_up(running: Service, body: bytes, *, mid_stream: bool) -> bool:
    """Ask for a stream and disconnect; return whether it had begun."""
    reader, writer = await asyncio.open_connection(running.host, running.port)
    head = f"POST /v1/ask/stream HTTP/1.1\r\nHost: {running.host}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    begun = b""
    if mid_stream:
        begun = await reader.read(100)
    else:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)
    writer.transport.abort()
    return begun.startswith(b"HTTP/1.1 200")


async def hang_up_all(
    running: Service, requests: Iterator[bytes], *, mid_stream: bool, clients: int = CLIENTS
) -> int:
    """Run all clients, a few at a time; return how many had begun to read."""
    begun = 0
    for _ in range(clients // AT_ONCE):
        came = [hang_up(running, next(requests), mid_stream=mid_stream) for _ in range(AT_ONCE)]
        begun += sum(await asyncio.gather(*came))
    return begun


async def count_work(running: Service) -> float:
    """Return the requests and questions that run or wait, without this request."""
    client = Client(running)
    _, _, content = await client.send("GET", "/metrics")
    client.close()
    return sum(float(number) for number in WORK.findall(content)) - 1


async def main() -> None:
    options = build_parser(__doc__ or "", 1).parse_args()
    requests = generate_requests(options.questions, cached=False)
    with run_service(options.data) as running:
        await warm_up(running, requests)
        # Opens the threads and catalogue connections that the service keeps for reuse.
        for mid_stream in (True, False):
            await hang_up_all(running, requests, mid_stream=mid_stream, clients=WARMING)
        await asyncio.gather(*[count_work(running) for _ in range(AT_ONCE)])
        await asyncio.sleep(1)
        files, threads = running.open_files, running.threads
        streaming = await hang_up_all(running, requests, mid_stream=True)
        await hang_up_all(running, requests, mid_stream=False)
        ended = time.perf_counter()
        while await count_work(running) and time.perf_counter() - ended < 30:
            await asyncio.sleep(0.05)
        took = time.perf_counter() - ended
        status, seconds, _ = await Client(running).send("POST", "/v1/ask", next(requests))
        await asyncio.sleep(1)
        left = running.open_files - files, running.threads - threads
    print(f"{CLIENTS} hung up mid-stream ({streaming} had begun to read), {CLIENTS} before a byte")
    print(f"no request or question left after {took:.2f} s (aim 1)")
    print(f"files {left[0]:+}, threads {left[1]:+} (aim 0)")
    print(f"the next question: {status} in {1000 * seconds:.0f} ms")


if __name__ == "__main__":
    asyncio.run(main())
