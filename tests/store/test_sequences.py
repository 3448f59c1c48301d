"""Any sequence of uses, damages and collections does what a plain dictionary says."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from recipekit.store import Lease, Store
from tests.properties import at_most
from tests.store.small_entries import key_of, left_behind, put

NUMBERS = st.integers(0, 3)
LEASES = st.integers(0, 1)
HOUR = 3600


class Sequences(RuleBasedStateMachine):
    """A store beside its model: the content of each entry, how long it was unused, and who claims it."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(mkdtemp())
        self.root = self.home / "store"
        self.store = Store(self.root)
        self.leases: dict[int, tuple[ExitStack, Lease]] = {}
        self.content: dict[int, bytes] = {}
        self.unused: dict[int, int] = {}
        self.claims: dict[int, set[int]] = {}

    def folder(self, number: int) -> Path:
        return self.root / key_of(number)[:2] / key_of(number)

    def lease(self, who: int) -> Lease:
        if who not in self.leases:
            stack = ExitStack()
            self.leases[who] = (stack, stack.enter_context(self.store.lease()))
            self.claims[who] = set()
        return self.leases[who][1]

    def used(self, who: int, number: int) -> None:
        self.claims[who].add(number)
        self.unused[number] = 0

    @rule(who=LEASES, number=NUMBERS, model=st.binary(max_size=4))
    def put(self, who: int, number: int, model: bytes) -> None:
        entry = put(self.lease(who), self.home, number, model)
        self.content.setdefault(number, model)
        self.used(who, number)
        assert (entry.folder / "artifacts" / "model.tflite").read_bytes() == self.content[number]

    @rule(who=LEASES, number=NUMBERS)
    def find(self, who: int, number: int) -> None:
        entry = self.lease(who).find(key_of(number))
        assert (entry is not None) == (number in self.content)
        if entry is not None:
            assert (entry.folder / "artifacts" / "model.tflite").read_bytes() == self.content[number]
            self.used(who, number)

    @rule(who=LEASES)
    def end(self, who: int) -> None:
        if who in self.leases:
            self.leases.pop(who)[0].close()
            del self.claims[who]

    @precondition(lambda self: self.content)
    @rule(data=st.data())
    def damage(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.content)))
        if not any(number in claimed for claimed in self.claims.values()):  # who has verified it trusts it
            (self.folder(number) / "log.txt").write_text("another")
            self.find_nothing(number)

    def find_nothing(self, number: int) -> None:
        with self.store.lease() as lease:
            assert lease.find(key_of(number)) is None
        del self.content[number], self.unused[number]

    @rule(hours=st.integers(1, 3))
    def wait(self, hours: int) -> None:
        for number in self.content:
            path = self.folder(number) / "entry.json"
            then = path.stat().st_mtime - hours * HOUR
            os.utime(path, (then, then))
            self.unused[number] += hours

    @rule(hours=st.integers(0, 4), dry_run=st.booleans())
    def collect(self, hours: int, dry_run: bool) -> None:
        old = {number for number, unused in self.unused.items() if unused >= hours}
        kept = {number for number in old if any(number in claimed for claimed in self.claims.values())}
        done = self.store.collect(older_than=hours * HOUR, max_bytes=None, dry_run=dry_run)
        assert (done.entries, done.kept_in_use) == (len(old - kept), len(kept))
        for number in set() if dry_run else old - kept:
            del self.content[number], self.unused[number]

    @rule()
    def shrink_to_nothing(self) -> None:
        self.store.collect(older_than=None, max_bytes=0)
        kept: set[int] = set().union(*self.claims.values())
        self.content = {number: model for number, model in self.content.items() if number in kept}
        self.unused = {number: unused for number, unused in self.unused.items() if number in kept}

    @invariant()
    def what_is_visible_is_what_the_model_has(self) -> None:
        assert {number for number in range(4) if self.folder(number).exists()} == set(self.content)
        assert self.store.info().entries == len(self.content)

    def teardown(self) -> None:
        for stack, _ in self.leases.values():
            stack.close()
        assert left_behind(self.root) == []
        shutil.rmtree(self.home)


Sequences.TestCase.settings = settings(max_examples=at_most(25), stateful_step_count=20)
TestSequences = Sequences.TestCase
