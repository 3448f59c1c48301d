"""How long a step has run and how long it will: from its own counts, else from how long it took last time.

It knows no terminal and no clock.
"""

from __future__ import annotations

from recipekit.contracts import Progress


class Pace:
    """One step that runs.

    Attributes:
        progress: the latest that was told of it.
    """

    def __init__(self, now: float) -> None:
        """The step begins.

        Args:
            now: seconds on a clock that never goes back.
        """
        self.progress = Progress()
        self._began = now
        self._first: tuple[float, int] | None = None
        self._last = (now, 0)
        self._before: float | None = None

    def tell(self, progress: Progress, now: float) -> None:
        """The step has come so far."""
        self._before = progress.seconds_before or self._before
        if progress.total is not None:
            if self._first is None or progress.total != self.progress.total or progress.done < self._last[1]:
                self._first = (now, progress.done)  # it counts something else now
            self._last = (now, progress.done)
        self.progress = progress

    def left(self, now: float) -> float | None:
        """Seconds until the step ends, as far as that can be known."""
        progress = self.progress
        if self._first is not None and progress.total is not None:
            (began, first), (told, done) = self._first, self._last
            if done > first and told > began:
                return max(0.0, (progress.total - done) * (told - began) / (done - first) - (now - told))
        if self._before is not None and self._before > now - self._began:
            return self._before - (now - self._began)
        return None

    def words(self, now: float) -> str:
        """What is known of the step, on one line: how far it is, how long it has run, how long it may take yet."""
        left = self.left(now)
        rest = f"about {in_words(left)} left" if left is not None else ""
        if left is None and self._before is not None and self._before >= 1:
            rest = f"last time {in_words(self._before)}"
        progress = self.progress
        return ", ".join(filter(None, (progress.counted, in_words(now - self._began), rest, progress.note)))


def in_words(seconds: float) -> str:
    """A duration as `7 s`, `2 min 05 s` or `1 h 02 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
