"""How the server listens."""

import gc
import socket

from app.core.serving import Listening


def test_connections_of_a_shared_socket_send_without_delay() -> None:
    with Listening("app.main:create_app", factory=True, host="127.0.0.1", port=0, log_config=None).bind_socket() as own:
        own.listen()
        with socket.create_connection(own.getsockname()):
            accepted, _ = own.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_garbage_collector_leaves_the_program_alone() -> None:
    assert gc.get_threshold()[0] > 700  # from the first import on
    try:
        Listening(lambda: None, factory=True, log_config=None).load()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
