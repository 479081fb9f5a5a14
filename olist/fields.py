"""Fields of the Brazilian dataset."""

from decimal import Decimal
from typing import Any

import pyarrow.compute as pc
from django.db import models

from ingest.rules.fields import ChoiceField, CodeField, DecimalField, LocalDateTimeField
from ingest.rules.normalise import INTEGRAL, TRIM, UPPER, Step

# `1037` for `01037`: what a spreadsheet makes of a zip prefix. No Brazilian one begins with two zeros.
LEADING_ZERO = Step("leading_zero", lambda text: pc.replace_substring_regex(text, r"\A([1-9][0-9]{3})\z", r"0\1"))


class State(models.TextChoices):
    """The 26 states and the federal district, by number of customers (see ``ChoiceField``)."""

    SP = "SP", "São Paulo"
    RJ = "RJ", "Rio de Janeiro"
    MG = "MG", "Minas Gerais"
    RS = "RS", "Rio Grande do Sul"
    PR = "PR", "Paraná"
    SC = "SC", "Santa Catarina"
    BA = "BA", "Bahia"
    DF = "DF", "Distrito Federal"
    ES = "ES", "Espírito Santo"
    GO = "GO", "Goiás"
    PE = "PE", "Pernambuco"
    CE = "CE", "Ceará"
    PA = "PA", "Pará"
    MT = "MT", "Mato Grosso"
    MA = "MA", "Maranhão"
    MS = "MS", "Mato Grosso do Sul"
    PB = "PB", "Paraíba"
    PI = "PI", "Piauí"
    RN = "RN", "Rio Grande do Norte"
    AL = "AL", "Alagoas"
    SE = "SE", "Sergipe"
    TO = "TO", "Tocantins"
    RO = "RO", "Rondônia"
    AM = "AM", "Amazonas"
    AC = "AC", "Acre"
    AP = "AP", "Amapá"
    RR = "RR", "Roraima"


class ZipPrefixField(CodeField):
    """The first five digits of a CEP; a number that lost its leading zero gets it back."""

    alphabet = "[0-9]"
    width = 5
    message = "Enter the first five digits of the zip code."
    normalise = (TRIM, INTEGRAL, LEADING_ZERO)


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
