"""Fuzzing with Schemathesis: `fuzz.py --data DIR --requests 20000`.

Schemathesis generates requests from the OpenAPI document, in rounds with one seed each, and checks
every response against the document. The service runs over a copy of an indexed data directory,
since the requests change it.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from load import run_service

CONFIGURATION = Path(__file__).parent / "schemathesis.toml"
PHASES = "examples,coverage,fuzzing,stateful"
EXAMPLES_PER_ROUND = 200
FINDING = re.compile(r"^\s*❌ (ST\d+ .+): (\d+)$", re.MULTILINE)
SENT = re.compile(r"^\s*(\d+) generated", re.MULTILINE)


def run_round(url: str, seed: int, folder: Path) -> str:
    """Run one round; return the output of Schemathesis."""
    command = [str(Path(sys.executable).parent / "st"), "--config-file", str(CONFIGURATION)]
    command += ["run", f"{url}/openapi.json"]
    command += ["--phases", PHASES, "--workers", "2", "--seed", str(seed), "--no-color"]
    command += ["--max-examples", str(EXAMPLES_PER_ROUND), "--continue-on-failure"]
    # Health checks are about slow generation of inputs, not about the service.
    command += ["--suppress-health-check", "all", "--warnings", "off", "--request-timeout", "120"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    return done.stdout + done.stderr


def main() -> int:
    """Send the requests; return 1 if a response was not as documented."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="an indexed data directory")
    parser.add_argument("--requests", type=int, default=20_000, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    parser.add_argument("--report", type=Path, help="a folder for the output of each round")
    options = parser.parse_args()
    sent = failed = 0
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        shutil.copytree(options.data, data, ignore=shutil.ignore_patterns("lock", "owner.json"))
        with run_service(data) as running:
            seed = options.seed
            while sent < options.requests:
                output = run_round(f"http://{running.host}:{running.port}", seed, Path(folder))
                if options.report is not None:
                    options.report.mkdir(parents=True, exist_ok=True)
                    (options.report / f"round-{seed}.txt").write_text(output, "utf-8")
                found = SENT.search(output)
                if found is None:
                    print(output)
                    return 1
                sent += int(found.group(1))
                findings = {what: int(times) for what, times in FINDING.findall(output)}
                failed += sum(findings.values())
                print(f"seed {seed}: {sent} requests so far, {findings or 'all as documented'}")
                seed += 1
    print(f"{sent} requests in {time.perf_counter() - started:.0f} s, {failed} findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
