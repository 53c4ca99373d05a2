"""What can go wrong between us and an upstream, and whether it may have seen the request."""


class TransportError(Exception):
    """`was_sent`: the upstream may have seen the request, so it may bill it."""

    was_sent = True
    reason = "transport_error"


class ConnectFailed(TransportError):
    was_sent = False
    reason = "connect_failed"


class ConnectTimedOut(TransportError):
    was_sent = False
    reason = "connect_timed_out"


class PoolClosed(TransportError):
    was_sent = False
    reason = "shutting_down"


class FirstByteTimedOut(TransportError):
    reason = "first_byte_timed_out"


class IdleTimedOut(TransportError):
    reason = "idle_timed_out"


class AnswerCut(TransportError):
    """The connection ended, or spoke no HTTP, before the answer was complete."""

    reason = "cut"


class StaleConnection(AnswerCut):
    """A kept connection turned out to be closed before a byte of the answer came."""

    reason = "stale_connection"
