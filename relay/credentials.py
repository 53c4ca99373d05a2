"""The operator's upstream credentials at rest: encrypted with a key derived from the installation's secret."""

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class UnreadableCredential(Exception):
    """The stored credential was encrypted under another secret key; it has to be entered again."""


def encrypt(text: str) -> bytes:
    return Fernet(settings.CREDENTIAL_KEY).encrypt(text.encode())


def decrypt(token: bytes) -> str:
    try:
        return Fernet(settings.CREDENTIAL_KEY).decrypt(token).decode()
    except InvalidToken as error:
        raise UnreadableCredential from error
