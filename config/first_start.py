"""What a start creates: the first time an organization, its owner and a key; each time a sign-in link."""

import os
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction

from apikeys import actions
from apikeys.channels import UPSTREAMS
from apikeys.models import Organization, User
from config.announcement import Announcement
from config.listening import free_port
from relay.actions import add_upstream
from relay.models import Upstream

FIRST_ORGANIZATION = "My organization"
_ACTOR = actions.Actor.command_line()


@transaction.atomic
def welcome(address: str, *, warn_open: bool) -> Announcement:
    """All of it or nothing: a start that is killed here has shown nothing, and the next is the first again."""
    is_first = not Organization.objects.exists()
    operator = actions.ensure_operator(actor=_ACTOR)
    api_key = _create_first_key(operator) if is_first else None
    simulator_port = _place_simulator(is_first)
    token = actions.create_signin_link(operator, actor=_ACTOR)
    console = settings.PUBLIC_URL or address
    return Announcement(
        address=console,
        console=console,
        signin_link=f"{console}/signin/{token}",
        api_key=api_key,
        simulator_port=simulator_port,
        warnings=_warnings(warn_open),
    )


def _create_first_key(operator: User) -> str:
    organization = actions.create_organization(FIRST_ORGANIZATION, actor=_ACTOR)
    actions.add_member(organization, operator, "admin", actor=_ACTOR)
    _, secret = actions.create_key(organization=organization, name="First key", created_by=operator, actor=_ACTOR)
    return secret


def _place_simulator(is_first: bool) -> int | None:
    """The port on which to run the simulator, None where there is none or it runs elsewhere.

    Its address is written anew at each start: the port of last time may be taken.
    """
    if is_first:
        add_upstream("simulator", "simulator", base_url=f"http://127.0.0.1:{free_port()}", actor=_ACTOR)
    upstream = Upstream.objects.filter(name="simulator", kind=Upstream.Kind.SIMULATOR, is_enabled=True).first()
    if upstream is None:
        return None
    elsewhere = os.environ.get("TOLLGATE_SIMULATOR_URL")
    port = None if elsewhere else free_port(urlsplit(upstream.base_url).port)
    _move(upstream, elsewhere or f"http://127.0.0.1:{port}")
    return port


def _move(upstream: Upstream, base_url: str) -> None:
    if upstream.base_url == base_url:
        return
    upstream.base_url = base_url
    upstream.save(update_fields=["base_url"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [UPSTREAMS])


def _warnings(warn_open: bool) -> tuple[str, ...]:
    if not warn_open or settings.PUBLIC_URL:
        return ()
    return (
        "it listens beyond this machine, but TOLLGATE_PUBLIC_URL is not set. Set it to the address that people "
        "use, and put https in front: keys travel in plain text otherwise.",
    )
