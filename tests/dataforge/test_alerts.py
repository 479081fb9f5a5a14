"""The alarms: rules that Prometheus takes, about figures that exist, each with a word on what to do."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from dataforge.metrics import exposition

PROJECT = Path(__file__).resolve().parents[2]
RULES = PROJECT / "deploy" / "prometheus" / "alerts.yml"
PROMTOOL = shutil.which("promtool")
WORDS_OF_PROMQL = {"up", "by", "sum", "rate", "increase", "delta", "absent", "or", "le", "table", "histogram_quantile"}


def rules() -> list[dict[str, Any]]:
    """Return the rules as they are written."""
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


@pytest.mark.django_db
def test_every_figure_that_a_rule_speaks_of_is_exposed() -> None:
    exposition.forget()
    text = exposition.text().decode()
    exposition.forget()
    known = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    for rule in rules():
        bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]', "", rule["expr"])
        names = set(re.findall(r"[a-z_]{2,}", bare)) - WORDS_OF_PROMQL
        assert names <= known, rule["alert"]


def test_every_alarm_says_what_it_means_and_leads_to_what_to_do() -> None:
    manual = (PROJECT / "docs" / "operations.md").read_text()
    for rule in rules():
        path, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert (path, anchor) == ("docs/operations.md", rule["alert"].lower())
        assert f'<a id="{anchor}"></a>{rule["alert"]} |' in manual
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["labels"]["severity"] in ("page", "ticket")


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed: apt-get install prometheus")
def test_prometheus_takes_the_rules_and_the_figures(db: None) -> None:
    exposition.forget()
    for command, text in ((["rules", str(RULES)], b""), (["metrics"], exposition.text())):
        ran = subprocess.run([str(PROMTOOL), "check", *command], input=text, capture_output=True, check=False)
        assert (ran.returncode, b"SUCCESS" in ran.stdout or not ran.stderr) == (0, True), ran
    exposition.forget()
