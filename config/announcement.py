"""What `up` prints once it runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Announcement:
    """Addresses and secrets of this start. `api_key` is there the first time only: nobody can read it again."""

    address: str
    console: str
    signin_link: str
    api_key: str | None
    simulator_port: int | None
    warnings: tuple[str, ...] = ()

    def text(self) -> str:
        lines = ["", "Tollgate is running.", "", f"  Console   {self.console}/", f"  Sign in   {self.signin_link}"]
        lines.append("            (works once, for 24 hours; `./tollgate signin-link` makes another)")
        if self.api_key:
            lines += [f"  API key   {self.api_key}", "            (shown only now)", "", *self._first_request()]
        if self.simulator_port is not None:
            lines += ["", "Answers come from the built-in simulator until `./tollgate upstream add` names a real one."]
        lines += [f"\nWarning: {warning}" for warning in self.warnings]
        return "\n".join([*lines, "", "Ctrl-C stops it."])

    def _first_request(self) -> list[str]:
        return [
            "Try it:",
            "",
            f"  curl {self.address}/v1/messages \\",
            f"    -H 'x-api-key: {self.api_key}' \\",
            "    -H 'anthropic-version: 2023-06-01' \\",
            "    -H 'content-type: application/json' \\",
            """    -d '{"model": "claude-opus-4-8", "max_tokens": 100,""",
            """         "messages": [{"role": "user", "content": "Hello, Claude"}]}'""",
        ]
