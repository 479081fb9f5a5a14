"""Fields of the Brazilian dataset."""

from decimal import Decimal
from typing import Any

import pyarrow.compute as pc
from django.db import models

from ingest.fields import ChoiceField, DecimalField, LocalDateTimeField, PatternField
from ingest.normalising import INTEGRAL, TRIM, UPPER, Step

# `1037` for `01037`: what a spreadsheet makes of a zip prefix. No Brazilian one begins with two zeros.
LEADING_ZERO = Step("leading_zero", lambda text: pc.replace_substring_regex(text, r"\A([1-9][0-9]{3})\z", r"0\1"))


class State(models.TextChoices):
    """The 26 states and the federal district."""

    AC = "AC", "Acre"
    AL = "AL", "Alagoas"
    AM = "AM", "Amazonas"
    AP = "AP", "Amapá"
    BA = "BA", "Bahia"
    CE = "CE", "Ceará"
    DF = "DF", "Distrito Federal"
    ES = "ES", "Espírito Santo"
    GO = "GO", "Goiás"
    MA = "MA", "Maranhão"
    MG = "MG", "Minas Gerais"
    MS = "MS", "Mato Grosso do Sul"
    MT = "MT", "Mato Grosso"
    PA = "PA", "Pará"
    PB = "PB", "Paraíba"
    PE = "PE", "Pernambuco"
    PI = "PI", "Piauí"
    PR = "PR", "Paraná"
    RJ = "RJ", "Rio de Janeiro"
    RN = "RN", "Rio Grande do Norte"
    RO = "RO", "Rondônia"
    RR = "RR", "Roraima"
    RS = "RS", "Rio Grande do Sul"
    SC = "SC", "Santa Catarina"
    SE = "SE", "Sergipe"
    SP = "SP", "São Paulo"
    TO = "TO", "Tocantins"


class ZipPrefixField(PatternField):
    """The first five digits of a CEP; a number that lost its leading zero gets it back."""

    pattern = "[0-9]{5}"
    message = "Enter the first five digits of the zip code."
    width = 5
    normalise = (TRIM, INTEGRAL, LEADING_ZERO)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_length": self.width})


class StateField(ChoiceField):
    """One of the 27 federal units, in capitals."""

    normalise = (TRIM, UPPER)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max_length": 2, "choices": State.choices})


class MoneyField(DecimalField):
    """An amount in Brazilian reais, from 0, to the centavo."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs = {**kwargs, "max_digits": 10, "decimal_places": 2, "min_value": Decimal(0)}
        super().__init__(*args, **kwargs)


class BrazilTimeField(LocalDateTimeField):
    """Wall-clock time in Brazil, as the publisher writes it; an offset is turned into it."""

    zone = "America/Sao_Paulo"
