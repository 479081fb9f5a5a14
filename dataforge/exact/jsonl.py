"""Django's format `jsonl` with whole moments: see SERIALIZATION_MODULES in the settings."""

from django.core.serializers import jsonl

from dataforge.exact import ExactEncoder

Deserializer = jsonl.Deserializer


class Serializer(jsonl.Serializer):
    """Django's, with another encoder."""

    def _init_options(self) -> None:
        super()._init_options()  # type: ignore[misc]  # the stubs leave it out
        self.json_kwargs["cls"] = ExactEncoder
