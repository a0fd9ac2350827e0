"""`citewire mcp`: the SDK's own client starts the real command and talks to it."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from citewire.service.wire.answers import AskResponse

ROOT = Path(__file__).parent.parent.parent
Citewire = Callable[..., "subprocess.CompletedProcess[str]"]


def command(data: Path) -> list[str]:
    return ["-m", "citewire", "mcp", "--data", str(data)]


async def conversation(data: Path) -> dict[str, Any]:
    """The tools and their answers."""
    process = StdioServerParameters(
        command=sys.executable, args=command(data), env=dict(os.environ), cwd=ROOT
    )
    async with Client(process) as client:
        return {
            "tools": sorted(tool.name for tool in (await client.list_tools()).tools),
            "ask": await client.call_tool("ask", {"question": "who met Park Jin?"}),
            "search": await client.call_tool("search", {"query": "Magnitogorsk"}),
            "verify": await client.call_tool("verify", {"quote": "met South Korean Foreign"}),
            "absent": await client.call_tool("fetch", {"id": "absent"}),
        }


# The service over this archive keeps running meanwhile.
@pytest.mark.usefixtures("service_url")
def test_the_tools_answer_beside_a_running_service(served_archive: Path) -> None:
    replies = asyncio.run(conversation(served_archive))

    assert replies["tools"] == ["ask", "fetch", "search", "verify"]
    answer = AskResponse.model_validate(replies["ask"].structured_content).answers[0]
    assert "Antony Blinken" in answer.text
    found = json.loads(replies["search"].content[0].text)["results"]
    assert "magnitogorsk" in found[0]["id"]
    assert replies["verify"].structured_content["status"] == "exact"
    assert replies["absent"].is_error
    assert "holds no article" in replies["absent"].content[0].text


def test_the_output_is_the_protocol_and_nothing_else(seed_archive: Path) -> None:
    begin = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    messages = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": begin},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
        {"jsonrpc": "2.0", "id": 3, "method": "no/such"},
    ]
    asked = "not JSON\n" + "".join(json.dumps(message) + "\n" for message in messages)
    with subprocess.Popen(
        [sys.executable, *command(seed_archive)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(asked)
        server.stdin.flush()
        # Where its input ends, the server answers no more: the last is waited for before.
        replies = []
        for line in server.stdout:
            replies.append(json.loads(line))
            if {1, 2, 3} <= {reply.get("id") for reply in replies}:
                break
        rest, _ = server.communicate(timeout=200)

    assert server.returncode == 0
    replies += [json.loads(line) for line in rest.splitlines()]
    assert all(reply["jsonrpc"] == "2.0" for reply in replies)
    assert {1, 2} <= {reply.get("id") for reply in replies if "result" in reply}
    assert {3} <= {reply.get("id") for reply in replies if "error" in reply}


def test_without_an_archive_it_says_so_on_standard_error(
    citewire: Citewire, tmp_path: Path
) -> None:
    done = citewire("mcp", "--data", str(tmp_path))

    assert (done.returncode, done.stdout) == (3, "")
    assert "nothing is indexed here" in done.stderr
