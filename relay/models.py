"""Where requests may go: the operator's upstreams."""

from typing import ClassVar

from django.db import models
from django.utils import timezone


class Upstream(models.Model):
    """An engine that answers: the Claude API, anything that speaks its Messages API, or the built-in simulator.

    `model_patterns` holds shell-style patterns of the model names it serves. The highest `priority` is asked first.
    """

    class Kind(models.TextChoices):
        ANTHROPIC = "anthropic"
        SIMULATOR = "simulator"

    name = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=40, choices=Kind.choices)
    base_url = models.CharField(max_length=300)
    credential = models.BinaryField(null=True, editable=False, help_text="encrypted; never shown again")
    model_patterns = models.JSONField(default=list)
    priority = models.IntegerField(default=0)
    is_enabled = models.BooleanField(default=True)
    drains = models.BooleanField(default=True, help_text="read to the end when the client leaves, for exact usage")
    created_at = models.DateTimeField(default=timezone.now)
    refused_at = models.DateTimeField(null=True, blank=True, help_text="when it last refused our credential")
    refusal = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["-priority", "-id"]

    def __str__(self) -> str:
        return self.name
