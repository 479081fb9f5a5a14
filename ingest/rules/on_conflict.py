"""What becomes of a record whose key is stored with other content."""

from typing import Literal

type OnConflict = Literal["reject", "update"]

ON_CONFLICT: tuple[OnConflict, ...] = ("reject", "update")
