from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from tests.browser import PHONE, OpenPage, running_browser

pytestmark = pytest.mark.slow

PAGE = """<!doctype html><html lang="en"><head><title>t</title><style>
body { background: #fff; color: #222 } p { color: #999 } h1 { color: #888 }
@media (prefers-color-scheme: dark) { body { background: #111; color: #eee } }
</style></head><body>%s</body></html>"""


def written(folder: Path, body: str) -> Path:
    path = folder / "page.html"
    path.write_text(PAGE % body, encoding="utf-8")
    return path


def test_a_browser_ends_with_its_processes_and_its_event_loop() -> None:
    """The first test of the module, so that the browser of the others isn't there yet."""
    before = set(psutil.Process().children(recursive=True))
    with running_browser() as browser:
        assert browser.is_connected()
        started = set(psutil.Process().children(recursive=True)) - before
        assert len(started) > 2
    assert psutil.wait_procs(started, timeout=5)[1] == []
    assert asyncio.run(asyncio.sleep(0, "done")) == "done"


def test_a_page_that_asks_for_something_is_seen_and_gets_nothing(open_page: OpenPage, tmp_path: Path) -> None:
    address = "http://localhost:1/dot.png"
    opened = open_page(written(tmp_path, f'<img src="{address}" alt="dot"><img src="data:," alt="none">'))
    assert opened.requests == [address]
    with pytest.raises(AssertionError, match=r"dot\.png"):
        opened.assert_quiet()


def test_what_a_script_does_wrong_is_seen(open_page: OpenPage, tmp_path: Path) -> None:
    opened = open_page(written(tmp_path, "<script>console.warn('one'); nothing.at_all</script>"))
    assert opened.errors == ["one", "nothing is not defined"]


def test_without_scripts_none_runs(open_page: OpenPage, tmp_path: Path) -> None:
    path = written(tmp_path, "<h1>before</h1><script>document.querySelector('h1').textContent = 'after'</script>")
    assert open_page(path).page.inner_text("h1") == "after"
    assert open_page(path, scripts=False).page.inner_text("h1") == "before"


def test_texts_are_held_to_the_contrast_that_readers_need(open_page: OpenPage, tmp_path: Path) -> None:
    path = written(tmp_path, "<h1>large</h1><p>grey</p>plain<div hidden><p>unseen</p></div>")
    assert open_page(path).unreadable() == ["grey: 2.85"]
    assert open_page(path, colours="dark").unreadable() == []


def test_a_page_wider_than_a_phone_is_measured(open_page: OpenPage, tmp_path: Path) -> None:
    path = written(tmp_path, "<div style='width: 400px; margin-left: -8px'>wide</div>")
    opened = open_page(path, window=PHONE)
    assert opened.overflow == 40
    assert open_page(path).overflow == 0


def test_a_page_is_printed_and_painted(open_page: OpenPage, tmp_path: Path) -> None:
    opened = open_page(written(tmp_path, "words"))
    assert opened.pdf().startswith(b"%PDF-")
    assert opened.screenshot(tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
    opened.assert_quiet()
