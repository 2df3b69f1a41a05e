"""A datatake is produced by one run at a time: who holds it is in the inventory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from s2ps.inventory.records import Claim

ACTIVE = frozenset({"queued", "running"})


class Register(Protocol):
    """Where claims are kept; `s2ps.inventory.store.Inventory` is one."""

    def claim_of(self, datatake_id: str, /) -> Claim | None:
        """Return the run that took a datatake last."""

    def take(self, datatake_id: str, mine: Claim, before: Claim | None, /) -> bool:
        """Give a datatake to a run if `before` still holds it."""


def claim(register: Register, datatake: str, mine: Claim, state_of: Callable[[Claim], str | None]) -> Claim | None:
    """Take a datatake for a run; return None on success, else the active run that holds it.

    A claim of a run that is over (or unknown) is taken over. Of two runs that ask at the same moment one is first.
    """
    while True:
        holder = register.claim_of(datatake)
        if holder == mine:
            return None
        if holder is not None and state_of(holder) in ACTIVE:
            return holder
        if register.take(datatake, mine, holder):
            return None
