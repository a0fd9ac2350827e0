"""Growth of memory, files and threads at 0.7 of saturation: `soak.py QUESTIONS --data DIR`."""

import asyncio
import statistics
from collections.abc import Sequence

from load import (
    RESET,
    Service,
    build_parser,
    generate_requests,
    run_closed_loop,
    run_open_loop,
    run_service,
    warm_up,
)

# Share of the saturation rate.
SHARE = 0.7
CONNECTIONS = 64
MEASURES = ("MiB resident", "MiB of its own", "files", "threads")
AIMS = ("at most +5 %", "at most +5 %", "+0", "+0")


def measure(running: Service) -> tuple[float, ...]:
    """Return the values of MEASURES, which must not grow."""
    return (
        running.resident_mib,
        running.own_mib,
        running.open_files,
        running.threads,
    )


def print_drift(samples: Sequence[tuple[float, ...]]) -> None:
    """Compare the medians of the first and the last third."""
    third = max(1, len(samples) // 3)
    first, last = zip(*samples[:third], strict=True), zip(*samples[-third:], strict=True)
    for name, aim, early, late in zip(MEASURES, AIMS, first, last, strict=True):
        begun, ended = statistics.median(early), statistics.median(late)
        print(
            f"{name:<15} {begun:8.1f} -> {ended:8.1f}   {ended - begun:+.1f} = "
            f"{ended / begun - 1:+.1%}   aim {aim}"
        )


async def main() -> None:
    parser = build_parser(__doc__ or "", 600)
    parser.add_argument("--warm-up", type=float, default=60, help="seconds before measuring")
    options = parser.parse_args()
    requests = generate_requests(options.questions, cached=options.cached)
    samples: list[tuple[float, ...]] = []
    with run_service(options.data) as running:
        await warm_up(running, requests)
        before = await run_closed_loop(running, requests, clients=2, seconds=options.warm_up)
        saturation = before.count(200) / options.warm_up

        async def sample() -> None:
            while True:
                samples.append(measure(running))
                await asyncio.sleep(1)

        sampling = asyncio.ensure_future(sample())
        tally = await run_open_loop(
            running,
            requests,
            rate=SHARE * saturation,
            clients=CONNECTIONS,
            seconds=options.seconds,
        )
        sampling.cancel()
    p50, p95, p99 = (tally.compute_percentile_ms(200, share) for share in (0.5, 0.95, 0.99))
    print(f"asked           {SHARE * saturation:.1f} a second, {tally.unsent} not sent")
    print(f"answered        {tally.count(200)}; p50 {p50:.0f} ms, p95 {p95:.0f}, p99 {p99:.0f}")
    print(f"errors          {tally.failed}   aim 0 ({tally.count(RESET)} resets)")
    print_drift(samples)


if __name__ == "__main__":
    asyncio.run(main())
