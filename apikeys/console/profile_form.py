"""A person's own name and password."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password

from apikeys.models import User


class ProfileForm(forms.Form):
    name = forms.CharField(max_length=200, required=False, widget=forms.TextInput({"autocomplete": "name"}))
    current_password = forms.CharField(
        strip=False, required=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )
    password = forms.CharField(
        label="New password",
        strip=False,
        required=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    password_again = forms.CharField(
        label="New password, again",
        strip=False,
        required=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, person: User, asks_current: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        self.fields["name"].initial = person.name
        self.fields["password"].help_text = " ".join(password_validators_help_texts())
        if not asks_current:
            del self.fields["current_password"]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        new = values.get("password", "")
        if not new:
            return values
        if "current_password" in self.fields and not self.person.check_password(values.get("current_password", "")):
            self.add_error("current_password", "This is not your current password.")
        if new != values.get("password_again"):
            self.add_error("password_again", "The two passwords differ.")
        try:
            validate_password(new, self.person)
        except forms.ValidationError as error:
            self.add_error("password", error)
        return values
