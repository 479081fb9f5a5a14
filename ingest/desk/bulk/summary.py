"""What became of many rejects, in numbers that add up: each passed, failed, or was left alone."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from ingest.readers.json.records import storable

MAX_FAULTS = 200  # of reasons that are told apart; the others are counted together
MAX_SAMPLES = 3
SHOWN_CHARACTERS = 80
OTHERS = ("", "others", "Other reasons.")
type Fault = tuple[str, str]  # field and code


@dataclass(kw_only=True)
class FailureReason:
    """Rejects that failed for one reason: how many, its words, and the numbers and values of some."""

    message: str
    count: int = 0
    samples: list[tuple[int, str]] = field(default_factory=list)

    def add(self, count: int, samples: Iterable[tuple[int, str]]) -> None:
        """Count ``count`` more."""
        self.count += count
        self.samples = [*self.samples, *samples][:MAX_SAMPLES]


@dataclass(kw_only=True)
class JobSummary:
    """``passed`` + ``failed`` + all of ``left`` are the rejects dealt with; ``reasons``: of those that failed."""

    passed: int = 0
    failed: int = 0
    left: Counter[str] = field(default_factory=Counter)
    reasons: dict[Fault, FailureReason] = field(default_factory=dict)
    batches: list[UUID] = field(default_factory=list)

    @property
    def count(self) -> int:
        """All that were dealt with."""
        return self.passed + self.failed + self.left.total()

    @property
    def tried(self) -> int:
        """Those that were not left alone."""
        return self.passed + self.failed

    def fail(self, number: int, reasons: Iterable[Mapping[str, Any]]) -> None:
        """Count a reject that failed, once for each field and code."""
        self.failed += 1
        faults: dict[Fault, Mapping[str, Any]] = {}
        for reason in reasons:
            faults.setdefault((reason["field"] or "", reason.get("constraint") or reason["code"]), reason)
        for fault, reason in faults.items():
            value = "" if reason["value"] is None else storable(str(reason["value"])[:SHOWN_CHARACTERS])
            self._why((storable(fault[0]), fault[1]), storable(reason["message"])).add(1, [(number, value)])

    def add(self, other: "JobSummary") -> Self:
        """Add another summary to this one."""
        self.passed += other.passed
        self.failed += other.failed
        self.left += other.left
        for fault, why in other.reasons.items():
            self._why(fault, why.message).add(why.count, why.samples)
        return self

    def _why(self, fault: Fault, message: str) -> FailureReason:
        if fault not in self.reasons and len(self.reasons) >= MAX_FAULTS:
            fault, message = OTHERS[:2], OTHERS[2]
        return self.reasons.setdefault(fault, FailureReason(message=message))

    @property
    def samples(self) -> list[int]:
        """The numbers of all samples."""
        return [number for why in self.reasons.values() for number, _ in why.samples]

    def leave_out(self, hidden: Collection[int]) -> None:
        """Leave out the reasons of which a sample is among the rejects ``hidden``."""
        self.reasons = {
            fault: why for fault, why in self.reasons.items() if not any(number in hidden for number, _ in why.samples)
        }

    def as_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads, the most frequent reasons first; without the batches."""
        frequent = sorted(self.reasons.items(), key=lambda item: (-item[1].count, item[0]))
        return {
            "passed": self.passed,
            "failed": self.failed,
            "left": dict(self.left.most_common()),
            "reasons": [[*fault, why.message, why.count, why.samples] for fault, why in frequent],
        }


def from_json(stored: Mapping[str, Any]) -> JobSummary:
    """Read a stored summary."""
    return JobSummary(
        passed=stored["passed"],
        failed=stored["failed"],
        left=Counter(stored["left"]),
        reasons={
            (name, code): FailureReason(
                message=message, count=count, samples=[(number, value) for number, value in samples]
            )
            for name, code, message, count, samples in stored["reasons"]
        },
    )
