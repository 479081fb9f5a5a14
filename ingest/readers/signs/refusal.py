"""Why a file is not taken as it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """What a file shows, and what to do; neither ends with a full stop."""

    problem: str
    remedy: str

    @property
    def advice(self) -> str:
        """Write what to do as a sentence."""
        return f"{self.remedy[:1].upper()}{self.remedy[1:]}."

    def __str__(self) -> str:
        return f"{self.problem}: {self.remedy}"
