"""Whether memory, files or threads grow at 0.7 of saturation: `soak.py QUESTIONS --data DIR`."""

import asyncio
import statistics

from load import RESET, arguments, bodies, closed_loop, open_loop, service, warm_up

SHARE = 0.7


async def main() -> None:
    parser = arguments(__doc__ or "", 600)
    parser.add_argument("--warm-up", type=float, default=60, help="seconds before measuring")
    options = parser.parse_args()
    requests = bodies(options.questions, cached=options.cached)
    samples: list[tuple[float, int, int]] = []
    with service(options.data) as running:
        await warm_up(running, requests)
        before = await closed_loop(running, requests, clients=2, seconds=options.warm_up)
        rate = SHARE * before.count(200) / options.warm_up

        async def sample() -> None:
            while True:
                await asyncio.sleep(1)
                samples.append((running.resident_mib(), running.open_files(), running.threads()))

        sampling = asyncio.ensure_future(sample())
        tally = await open_loop(running, requests, rate=rate, clients=64, seconds=options.seconds)
        sampling.cancel()
    third = max(1, len(samples) // 3)
    first, last = zip(*samples[:third], strict=True), zip(*samples[-third:], strict=True)
    print(
        f"asked {rate:.1f} a second; statuses {dict(tally.statuses())}; resets {tally.count(RESET)}"
    )
    for name, early, late in zip(("MiB resident", "files", "threads"), first, last, strict=True):
        begun, ended = statistics.median(early), statistics.median(late)
        print(f"{name:<13} {begun:8.1f} -> {ended:8.1f}   {ended / begun - 1:+.1%}")


if __name__ == "__main__":
    asyncio.run(main())
