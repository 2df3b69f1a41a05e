"""Payloads of the packets that carry orbit states, attitudes and the configuration of the instrument."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.science.packets import Kind, Packet
from s2ps.model.errors import InputError

Array = NDArray[np.float64]

_STATE = struct.Struct(">6d")
_QUATERNION = struct.Struct(">4d")


@dataclass(frozen=True, slots=True)
class Ancillary:
    """Orbit and attitude samples of a datastrip; times are GPS seconds, ascending."""

    orbit_time: Array
    position: Array
    """Earth-fixed, m, (n, 3)."""
    velocity: Array
    """Earth-fixed, m/s, (n, 3)."""
    attitude_time: Array
    quaternion: Array
    """Inertial to body, scalar last, (m, 4)."""

    @property
    def orbit_direction(self) -> str:
        """ASCENDING where the middle orbit state flies north, else DESCENDING."""
        return "ASCENDING" if self.velocity[len(self.velocity) // 2, 2] > 0 else "DESCENDING"


def orbit_payload(position: Iterable[float], velocity: Iterable[float]) -> bytes:
    """Write an Earth-fixed position (m) and velocity (m/s)."""
    return _STATE.pack(*position, *velocity)


def attitude_payload(quaternion: Iterable[float]) -> bytes:
    """Write a quaternion, inertial to body, scalar last."""
    return _QUATERNION.pack(*quaternion)


def configuration_payload(values: Mapping[str, Any]) -> bytes:
    """Write the configuration of the instrument (datatake id, type, scale, scenes ...) as JSON."""
    return json.dumps(values, sort_keys=True).encode()


def read_configuration(packet: Packet) -> dict[str, Any]:
    """Read what `configuration_payload` wrote; raises InputError when it is no JSON object."""
    try:
        values = json.loads(packet.payload)
    except ValueError as error:
        raise InputError(f"configuration packet {packet.sequence}: {error}", expected="a JSON object") from error
    if not isinstance(values, dict):
        raise InputError(f"configuration packet {packet.sequence} holds {values!r}", expected="a JSON object")
    return values


def collect(packets: Iterable[Packet]) -> Ancillary:
    """Gather the orbit and attitude packets in order of time, duplicates dropped; raises InputError below 2 of each."""
    states: dict[float, tuple[float, ...]] = {}
    turns: dict[float, tuple[float, ...]] = {}
    for packet in packets:
        if packet.kind is Kind.ORBIT_STATE:
            states[packet.time] = _STATE.unpack(packet.payload)
        elif packet.kind is Kind.ATTITUDE:
            turns[packet.time] = _QUATERNION.unpack(packet.payload)
    if len(states) < 2 or len(turns) < 2:
        raise InputError(
            f"ancillary data with {len(states)} orbit states and {len(turns)} attitudes",
            expected="2 or more of each",
            next_step="check that the session is complete",
        )
    orbit_time, orbit = np.array(sorted(states)), np.array([states[time] for time in sorted(states)])
    attitude_time, quaternion = np.array(sorted(turns)), np.array([turns[time] for time in sorted(turns)])
    return Ancillary(orbit_time, orbit[:, :3], orbit[:, 3:], attitude_time, quaternion)
