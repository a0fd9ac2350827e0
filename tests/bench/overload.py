"""Goodput and refusals at ten times the saturation rate: `overload.py QUESTIONS --data DIR`."""

import asyncio

from load import (
    RESET,
    build_parser,
    generate_requests,
    probe,
    run_closed_loop,
    run_open_loop,
    run_service,
    warm_up,
)

# Factor on the saturation rate.
TIMES = 10
CONNECTIONS = 200


async def main() -> None:
    options = build_parser(__doc__ or "", 60).parse_args()
    requests = generate_requests(options.questions, cached=options.cached)
    with run_service(options.data) as running:
        await warm_up(running, requests)
        before = await run_closed_loop(running, requests, clients=2, seconds=options.seconds / 3)
        saturation = before.count(200) / (options.seconds / 3)
        async with probe(running, "/health/live", 0.05) as alive:
            tally = await run_open_loop(
                running,
                requests,
                rate=TIMES * saturation,
                clients=CONNECTIONS,
                seconds=options.seconds,
            )
        after = await run_closed_loop(running, requests, clients=2, seconds=5)
    goodput = tally.count(200) / options.seconds
    print(f"saturation, 2 clients    {saturation:8.1f} questions/s")
    print(f"asked                    {TIMES * saturation:8.1f} a second, {tally.unsent} not sent")
    print(f"goodput                  {goodput:8.1f} = {goodput / saturation:.0%}   aim 90 %")
    print(f"answered, p99            {tally.compute_percentile_ms(200, 0.99):8.0f} ms   aim 2000")
    print(f"429, p99                 {tally.compute_percentile_ms(429, 0.99):8.1f} ms   aim 50")
    print(f"liveness, p99            {alive.compute_percentile_ms(200, 0.99):8.1f} ms   aim 100")
    print(f"resets                   {tally.count(RESET) + alive.count(RESET):8}      aim 0")
    print(f"5xx                      {tally.errors + alive.errors:8}      aim 0")
    print(f"right afterwards         {after.count(200) / 5:8.1f} questions/s")
    print(f"statuses                 {dict(tally.statuses)}")


if __name__ == "__main__":
    asyncio.run(main())
