"""Names: a name server for tests. Hosts have the addresses that a test gives them, and all of them lead to loopback."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from imagesync.registry.addresses import SocketAddress, look_up


class Names:
    """`asked` lists what was looked up, in order. A name with several answers gives one after the other, the last
    one for ever; a host that has none is looked up by the system."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._answers: dict[str, list[Sequence[str]]] = {}

    def add(self, host: str, *answers: Sequence[str]) -> None:
        """Each answer is a list of addresses, as `["93.184.216.34"]`."""
        self._answers[host] = list(answers)

    def __call__(self, host: str, port: int) -> Sequence[SocketAddress]:
        self.asked.append(host)
        answers = self._answers.get(host)
        if answers is None:
            return look_up(host, port)
        ips = answers.pop(0) if len(answers) > 1 else answers[0]
        return [SocketAddress(ip, socket.AF_INET, ("127.0.0.1", port)) for ip in ips]
