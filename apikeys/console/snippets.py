"""Ready code for a new key: what a person pastes to get the first answer. Pure: address and key in, text out."""

from dataclasses import dataclass

MODEL = "claude-sonnet-4-5"


@dataclass(frozen=True, slots=True)
class Snippet:
    name: str
    code: str


def snippets(base_url: str, key: str) -> list[Snippet]:
    return [
        Snippet("curl", curl(base_url, key)),
        Snippet("Python", _python(base_url, key)),
        Snippet("TypeScript", _typescript(base_url, key)),
        Snippet("Claude Code", f"export ANTHROPIC_BASE_URL={base_url}\nexport ANTHROPIC_API_KEY={key}\nclaude"),
    ]


def curl(base_url: str, key: str) -> str:
    return f"""curl {base_url}/v1/messages \\
  -H "x-api-key: {key}" \\
  -H "anthropic-version: 2023-06-01" \\
  -H "content-type: application/json" \\
  -d '{{"model": "{MODEL}", "max_tokens": 1024, "messages": [{{"role": "user", "content": "Hello, Claude"}}]}}'"""


def _python(base_url: str, key: str) -> str:
    return f"""import anthropic

client = anthropic.Anthropic(
    base_url="{base_url}",
    api_key="{key}",
)
message = client.messages.create(
    model="{MODEL}",
    max_tokens=1024,
    messages=[{{"role": "user", "content": "Hello, Claude"}}],
)
print(message.content)"""


def _typescript(base_url: str, key: str) -> str:
    return f"""import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({{
  baseURL: "{base_url}",
  apiKey: "{key}",
}});
const message = await client.messages.create({{
  model: "{MODEL}",
  max_tokens: 1024,
  messages: [{{ role: "user", content: "Hello, Claude" }}],
}});
console.log(message.content);"""
