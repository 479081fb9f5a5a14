"""The running site as a person sees it in a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE_MILLISECONDS = 30_000
WCAG_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


class Site:
    """One window. ``complaints``: what the browser wrote to its console, such as scripts that the CSP stopped."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        page.on("console", lambda message: self._complain(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    @classmethod
    @contextmanager
    def opened(cls, chromium: Any, url: str, **options: Any) -> Iterator["Site"]:
        """Open a window, and close it afterwards."""
        context = chromium.new_context(reduced_motion="reduce", **options)
        try:
            yield cls(context.new_page(), url)
        finally:
            context.close()

    def _complain(self, kind: str, text: str) -> None:
        if kind == "error" and "403 (Forbidden)" not in text:
            self.complaints.append(text)

    def log_in(self, name: str) -> None:
        """Sign in by the form."""
        self.go("")
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", name * 2)
        self.page.click("[type=submit]")
        self.page.wait_for_selector("#user-tools")

    def go(self, path: str) -> int:
        """Open a page below ``/admin/``, and return its status."""
        answer = self.page.goto(f"{self.url}/admin/{path}")
        return int(answer.status)

    def text(self) -> str:
        """What the page says."""
        return str(self.page.inner_text("body"))

    def see(self, text: str) -> None:
        """Wait until the page says ``text``."""
        self.page.locator("#content-start", has_text=text).wait_for()

    def violations(self, scheme: str = "light") -> list[str]:
        """What axe-core finds against WCAG AA on this page: the rule, and the first element that breaks it.

        In the dark only the contrast is looked at: nothing else can differ.
        """
        from axe_playwright_python.sync_playwright import Axe

        self.page.emulate_media(color_scheme=scheme)
        only = {"type": "tag", "values": WCAG_AA}
        if scheme == "dark":
            only = {"type": "rule", "values": ["color-contrast"]}
        options = {"runOnly": only, "resultTypes": ["violations"]}
        found = Axe().run(self.page, options=options).response["violations"]
        nodes = [(rule["id"], rule["nodes"][0]) for rule in found]
        return [f"{scheme} {rule}: {node['html'][:300]} {node['failureSummary'][:300]}" for rule, node in nodes]
