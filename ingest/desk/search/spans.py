"""Days as spans of moments, on our wall clock."""

from datetime import date, datetime, time, timedelta

from django.utils import timezone

type Span = tuple[datetime, datetime]  # from, and up to but not with
EVER: Span = (datetime.fromisoformat("0001-01-02T00:00Z"), datetime.fromisoformat("9999-12-30T00:00Z"))


def day_span(day: date) -> Span:
    """Return a day's first moment and the next one's, on our wall clock."""
    zone = timezone.get_current_timezone()
    begin, end = (datetime.combine(moment, time(), zone) for moment in (day, day + timedelta(days=1)))
    return begin, end


def span_of(days: str) -> Span:
    """Return the first moment of a day or some days, and the one after; nothing is in a span that makes no sense."""
    first, dots, last = days.partition("..")
    try:
        lower = day_span(date.fromisoformat(first))[0] if first else EVER[0]
        upper = day_span(date.fromisoformat(last if dots else first))[1] if last or not dots else EVER[1]
    except (ValueError, OverflowError):
        return EVER[0], EVER[0]
    return lower, upper
