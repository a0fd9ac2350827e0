"""Latency of one question at a time, HTTP included: `latency.py QUESTIONS --data DIR`."""

import asyncio

from load import build_parser, generate_requests, run_closed_loop, run_service, warm_up


async def main() -> None:
    options = build_parser(__doc__ or "", 30).parse_args()
    requests = generate_requests(options.questions, cached=options.cached)
    with run_service(options.data) as running:
        await warm_up(running, requests)
        tally = await run_closed_loop(running, requests, clients=1, seconds=options.seconds)
    print(f"{tally.count(200)} answered; statuses {dict(tally.statuses)}")
    for share, aim in ((0.5, 60), (0.95, 120), (0.99, 200)):
        print(
            f"p{share * 100:<4.0f} {tally.compute_percentile_ms(200, share):7.1f} ms   aim {aim} ms"
        )


if __name__ == "__main__":
    asyncio.run(main())
