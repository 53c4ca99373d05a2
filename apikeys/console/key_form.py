"""What one says when making a key."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from apikeys.models import Workspace

LIFETIMES = {
    "3h": ("3 hours", timedelta(hours=3)),
    "1d": ("1 day", timedelta(days=1)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
}
_CHOICES = [("never", "Never"), *((name, label) for name, (label, _) in LIFETIMES.items()), ("custom", "On a date")]


class KeyForm(forms.Form):
    name = forms.CharField(
        max_length=200, help_text="What it is for: people and logs will know it by this name.", strip=True
    )
    workspace = forms.ChoiceField()
    lifetime = forms.ChoiceField(label="Expires", choices=_CHOICES, initial="never", widget=forms.RadioSelect)
    until = forms.DateField(
        label="Last day (UTC)",
        required=False,
        widget=forms.DateInput({"type": "date"}),
        help_text="The key works through this day. Only for “On a date”. An expiry cannot be changed later.",
    )

    def __init__(self, *args: Any, workspaces: list[Workspace], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].initial = f"key-{timezone.now():%Y-%m-%d}"
        self.workspaces = {one.id: one for one in workspaces}
        field = self.fields["workspace"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [(one.id, one.name) for one in workspaces]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("lifetime") == "custom":
            until = values.get("until")
            if until is None:
                self.add_error("until", "Choose the last day.")
            elif until < timezone.now().date():
                self.add_error("until", "This day is over.")
        return values

    @property
    def chosen_workspace(self) -> Workspace:
        return self.workspaces[self.cleaned_data["workspace"]]

    def expires_at(self, now: datetime) -> datetime | None:
        """When the key stops, counted from `now`; None: never."""
        lifetime = self.cleaned_data["lifetime"]
        if lifetime == "never":
            return None
        if lifetime == "custom":
            return datetime.combine(self.cleaned_data["until"] + timedelta(days=1), time.min, UTC)
        return now + LIFETIMES[lifetime][1]
