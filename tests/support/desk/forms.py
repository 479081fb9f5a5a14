"""A form of a page as a browser fills it in before anybody types: what every field shows."""

from html.parser import HTMLParser


class _Fields(HTMLParser):
    """Collects the fields of the form whose tag has the class ``form``."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._form, self._inside, self._name, self._area = form, False, "", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = self._form in facts.get("class", "").split()
        elif self._inside and tag == "input" and facts.get("name"):
            self.values[facts["name"]] = facts.get("value", "")
        elif self._inside and tag in ("select", "textarea"):
            self._name, self._area = facts["name"], tag == "textarea"
            self.values[self._name] = ""
        elif self._inside and tag == "option" and "selected" in facts:
            self.values[self._name] = facts["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea" and self._area:
            self._area = False
            self.values[self._name] = self.values[self._name].removeprefix("\n")  # which HTML passes over

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._name] += data


def shown_in(html: str, form: str) -> dict[str, str]:
    """Return the fields of the form with the class ``form`` in a page, with the values that it shows."""
    fields = _Fields(form)
    fields.feed(html)
    return fields.values
