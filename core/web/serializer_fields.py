"""Members of a request's JSON document: nothing is taken for what it only looks like, and none is passed over."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError


class PlainText(serializers.CharField):
    """A text that came as one: no number, no boolean."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse everything else."""
        if type(data) is not str:
            self.fail("invalid")
        return str(super().to_internal_value(data))


class OneOf(serializers.ChoiceField):
    """A choice that came as text. What came instead is not repeated: it may be long, or no text at all."""

    default_error_messages = {"invalid_choice": "This is none of {choices}."}

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what only looks like one."""
        if type(data) is not str or data not in self.choices:
            self.fail("invalid_choice", choices=", ".join(map(str, self.choices)))
        return data


class Flag(serializers.BooleanField):
    """JSON's true and false; in an address, these words."""

    def to_internal_value(self, data: Any) -> bool:
        """Refuse everything else that DRF takes for a boolean."""
        words = {"true": True, "false": False} if self.context.get("words") else {}
        value = words.get(data, data) if type(data) is str else data
        if not isinstance(value, bool):
            self.fail("invalid", input=data)
        return value


class StrictSerializer(serializers.Serializer[Any]):
    """An object all of whose members are known."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse members that nobody knows, by name."""
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            message = ErrorDetail("There is no such member.", code="unknown_field")
            raise ValidationError({name[:100].encode("utf-8", "replace").decode(): [message] for name in unknown[:10]})
        return super().to_internal_value(data)
