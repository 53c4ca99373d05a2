"""From the head of a call to its caller."""

import time

from apikeys.authentication import Authenticator
from apikeys.caller import Caller
from apikeys.errors import InvalidKey, KeyStoreUnavailable, TooManyBadKeys
from relay import errors
from relay.call import Call


async def authenticate(call: Call, authenticator: Authenticator) -> Caller:
    """Raises 401, 403 (an admin key), 429 (bad keys hammered from one address) or 503 (we cannot know)."""
    secret, is_bearer = call.key()
    caller = authenticator.cached(secret, time.time())
    if caller is None:
        try:
            caller = await authenticator.authenticate(secret, call.address)
        except InvalidKey:
            raise errors.key_invalid(is_bearer=is_bearer) from None
        except TooManyBadKeys as error:
            raise errors.too_many_bad_keys(error.retry_after_seconds) from None
        except KeyStoreUnavailable:
            raise errors.keys_unknown() from None
    if caller.kind != "api":
        raise errors.not_an_api_key()
    return caller
