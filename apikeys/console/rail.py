"""The rooms of the console, in the order of the rail. Their views live with their nouns; here are only their names."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """`name` is the URL's name; `right` what one needs to enter; `subrooms` the URLs that belong to it."""

    name: str
    label: str
    right: str
    subrooms: tuple[str, ...] = ()

    @property
    def icon(self) -> str:
        return f"icons/{self.name}.svg"


ROOMS: tuple[Room, ...] = (
    Room("home", "Home", "usage"),
    Room("usage", "Usage", "usage", ("usage_csv",)),
    Room("logs", "Logs", "logs", ("log",)),
    Room("limits", "Limits", "limits"),
    Room("keys", "Keys", "keys", ("key", "key_new", "key_archive", "key_rename", "key_status")),
)


def room_of(url_name: str | None) -> Room:
    """The room that a URL's name belongs to; Home for everything else."""
    return next((room for room in ROOMS if url_name == room.name or url_name in room.subrooms), ROOMS[0])
