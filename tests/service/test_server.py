"""The addresses at which the service may listen, and its names there."""

import socket

import pytest

from citewire.index.errors import InvalidInput, NotUsable
from citewire.service.auth.keys import Keyring
from citewire.service.server import (
    bind_socket,
    build_url,
    is_loopback,
    require_key_beyond_loopback,
    require_names_for_every_address,
)

BEYOND = ["0.0.0.0", "::", "192.168.1.5", "archive.example", "10.0.0.1", "localhost.example"]
WITHIN = ["127.0.0.1", "127.0.0.2", "::1", "localhost"]


@pytest.mark.parametrize("host", BEYOND)
def test_without_a_key_only_this_machine_is_served(host: str) -> None:
    with pytest.raises(InvalidInput, match=f"--host {host} can be reached from other machines"):
        require_key_beyond_loopback(host, Keyring())


@pytest.mark.parametrize("host", BEYOND)
def test_with_a_key_others_are_served(host: str) -> None:
    require_key_beyond_loopback(host, Keyring(api_key="a-key-of-sixteen"))

    assert not is_loopback(host)


@pytest.mark.parametrize("host", WITHIN)
def test_this_machine_needs_no_key(host: str) -> None:
    require_key_beyond_loopback(host, Keyring())

    assert is_loopback(host)


def test_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(NotUsable, match=rf"^127\.0\.0\.1:{port}: cannot listen there: Addr"):
            bind_socket("127.0.0.1", port)


def test_address_of_another_machine_cannot_be_listened_at() -> None:
    with pytest.raises(NotUsable, match=r"^192\.0\.2\.1:0: cannot listen there: "):
        bind_socket("192.0.2.1", 0)


def test_port_0_lets_the_system_choose() -> None:
    with bind_socket("127.0.0.1", 0) as listening:
        assert listening.getsockname()[1] > 0


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("localhost", "http://localhost:8000"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_url_of(host: str, url: str) -> None:
    assert build_url(host, 8000) == url


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_every_address_needs_names_to_answer_to(host: str) -> None:
    with pytest.raises(InvalidInput, match="set CITEWIRE_HOSTS"):
        require_names_for_every_address(host, frozenset())


def test_an_address_of_its_own_needs_no_names() -> None:
    require_names_for_every_address("192.168.1.5", frozenset())
    require_names_for_every_address("0.0.0.0", frozenset(["archive.example"]))
