"""Questions answered a second, by number of clients: `throughput.py QUESTIONS --data DIR`."""

import asyncio

from load import build_parser, generate_requests, run_closed_loop, run_service, warm_up


async def main() -> None:
    parser = build_parser(__doc__ or "", 600)
    parser.add_argument("--clients", type=int, nargs="+", default=[16], help="default: 16")
    options = parser.parse_args()
    requests = generate_requests(options.questions, cached=options.cached)
    print("clients  questions/s  p50 ms  p95 ms  p99 ms  errors    (aim: 16, 20/s, p95 1 s, none)")
    with run_service(options.data) as running:
        await warm_up(running, requests)
        for clients in options.clients:
            tally = await run_closed_loop(
                running, requests, clients=clients, seconds=options.seconds
            )
            p50, p95, p99 = (tally.compute_percentile_ms(200, share) for share in (0.5, 0.95, 0.99))
            others = {status: n for status, n in tally.statuses.items() if status != 200}
            failures = f"{tally.failed}: {others}" if others else "0"
            rate = tally.count(200) / options.seconds
            print(
                f"{clients:7} {rate:12.1f} {p50:7.0f} {p95:7.0f} {p99:7.0f}  {failures}", flush=True
            )


if __name__ == "__main__":
    asyncio.run(main())
