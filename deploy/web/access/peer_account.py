"""Which account of this machine holds the other end of a connection, as the kernel says.

A proxy on this machine sends everybody's requests from the loopback. Headers tell it only where it
adds some; its account tells it always, unless it runs under ours.

The question is sock_diag(7)'s, of one connection: some microseconds, whatever there is beside it.
"""

import errno
import ipaddress
import os
import socket
import struct
from typing import Final, TypeAlias

Address: TypeAlias = tuple[str, int]

_NETLINK_SOCK_DIAG: Final = 4
_SOCK_DIAG_BY_FAMILY: Final = 20
_REQUEST: Final = 1
_ERROR: Final = 2
_EVERY_STATE: Final = 0xFFFFFFFF
_NO_COOKIE: Final = (0xFFFFFFFF, 0xFFFFFFFF)
_HEAD: Final = struct.Struct("=IHHII")
_ASKED: Final = struct.Struct("=BBBBI")
_PORTS: Final = struct.Struct(">HH")
_INTERFACE: Final = struct.Struct("=III")
_BEFORE_FIGURES: Final = 52
_FIGURES: Final = struct.Struct("=IIIII")
_ROOT: Final = 0


def is_of_this_account(peer: Address, own: Address) -> bool | None:
    """Tell whether this process's account, or root, holds the end `peer` of a connection to `own`.

    False also where nobody holds it any more. None: the kernel does not tell, as on other systems.
    """
    try:
        account = _account_of(peer, own)
    except (OSError, struct.error, ValueError):
        return None
    return account is not None and account in (os.geteuid(), _ROOT)


def _account_of(end: Address, other: Address) -> int | None:
    """Return the account of a connection's end; None: nobody holds it. Raises `OSError`."""
    if not hasattr(socket, "AF_NETLINK"):
        raise OSError("no netlink here")
    here, there = (ipaddress.ip_address(address) for address, _ in (end, other))
    family = socket.AF_INET if here.version == 4 else socket.AF_INET6
    asked = (
        _ASKED.pack(family, socket.IPPROTO_TCP, 0, 0, _EVERY_STATE)
        + _PORTS.pack(end[1], other[1])
        + here.packed.ljust(16, b"\0")
        + there.packed.ljust(16, b"\0")
        + _INTERFACE.pack(0, *_NO_COOKIE)
    )
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(1.0)
        kernel.send(
            _HEAD.pack(_HEAD.size + len(asked), _SOCK_DIAG_BY_FAMILY, _REQUEST, 1, 0) + asked
        )
        answer = kernel.recv(8_192)
    kind = _HEAD.unpack_from(answer)[1]
    if kind == _ERROR:
        number = -struct.unpack_from("=i", answer, _HEAD.size)[0]
        if number == errno.ENOENT:
            return None
        raise OSError(number, os.strerror(number))
    *_, account, inode = _FIGURES.unpack_from(answer, _HEAD.size + _BEFORE_FIGURES)
    # A connection that its process has closed belongs to nobody, and would be said to be root's.
    return account if inode else None
