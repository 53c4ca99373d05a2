"""The column type of money."""

from decimal import Decimal

from django.db import models


class PicosField(models.DecimalField):
    """Whole pico-dollars (1e-12 USD) as `numeric(30,0)`; Python sees a Decimal without fraction."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.update(max_digits=30, decimal_places=0)
        kwargs.setdefault("default", Decimal(0))
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
