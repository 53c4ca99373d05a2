"""The simulator's own words. The same conversation always gets the same ones."""

from collections.abc import Iterator
from itertools import cycle, islice
from zlib import crc32

from relay.upstreams.simulator.answers.conversation import Conversation
from relay.upstreams.simulator.counting.tokens import pieces

_ECHO_CHARACTERS = 200

_ENGLISH = (
    " No model was asked: these words are made on this machine, always the same for the same request.",
    " Its token counts, its cache and its errors follow the rules of the real API.",
    " Add an upstream with a credential, and the same request reaches a real model.",
    " Nothing in your program has to change for that.",
    " Until then this is a good place to try streaming, tools and error handling.",
)
_CHINESE = (
    "没有模型参与：这些文字由本机生成，同样的请求总是得到同样的回答。",
    "令牌计数、缓存和错误都遵循真实接口的规则。",
    "添加带有凭据的上游之后，同样的请求就会到达真实的模型。",
    "您的程序无需任何改动。",
    "在此之前，可以放心地试用流式输出、工具调用和错误处理。",
)
_STORY = (
    "Once upon a time there was a small gate on a long road. Everyone who came through gave it a letter, and the gate"
    " carried each letter to a wise old house on the hill and brought the answer back, word by word, as fast as the"
    " house could speak. It counted every word, and it never lost a letter, not even on the night when the lamp went"
    " out in the middle of a sentence. In the morning the count was right, and nobody had noticed. The end."
)
_CHINESE_STORY = (
    "从前，在一条长长的路上有一座小小的关口。每个经过的人都交给它一封信，它把信送到山上的老屋，"
    "再把回答一个字一个字地带回来。它数清每一个字，从不遗失一封信，就连油灯在半句话时熄灭的那个夜晚也没有。"
    "到了早晨，账目分毫不差，谁也没有察觉。故事讲完了。"
)


def reply(conversation: Conversation, *, model_name: str) -> str:
    """The whole text of an answer."""
    if conversation.prefill:
        return _continued(conversation)
    if conversation.tool_results is not None:
        return _about_results(conversation)
    if any(word in conversation.question.lower() for word in ("story", "故事")):
        return _CHINESE_STORY if conversation.is_chinese else _STORY
    return _greeting(conversation, model_name) + _filling(conversation)


def stretched(text: str, length: int) -> list[str]:
    """The text as exactly `length` output tokens: cut, or gone over again."""
    tokens = pieces(text)
    again = pieces(" " + text.lstrip())
    return list(islice(_chained(tokens, again), length))


def thoughts(conversation: Conversation) -> str:
    """What a thinking block says."""
    if conversation.is_chinese:
        return f"用户说：“{_echo(conversation.question)}”。我是模拟器，不需要真的思考，但要给出一段思考文字，然后回答。"
    return (
        f"The user says: “{_echo(conversation.question)}”. I am a simulator and need not think, but a thinking block is"
        " due here, so I write down that I considered the question, and then I answer it."
    )


def searched(query: str) -> str:
    """The text after a web search."""
    return f"I searched for “{_echo(query)}”. The simulator is offline, so the result is its own: "


def _greeting(conversation: Conversation, model_name: str) -> str:
    question, seen = _echo(conversation.question), _seen(conversation)
    if conversation.is_chinese:
        return f"你好！这里是 Tollgate 内置的模拟器，代替 {model_name} 回答。{seen}您写的是：“{question}”。"
    said = f" You wrote: “{question}”." if question else ""
    return f"Hello! This is Tollgate's built-in simulator, answering in place of {model_name}.{seen}{said}"


def _filling(conversation: Conversation) -> str:
    """Two to five sentences, chosen by the question."""
    choice = crc32(conversation.question.encode("utf-8", "replace"))
    sentences = _CHINESE if conversation.is_chinese else _ENGLISH
    return "".join(sentences[: 2 + choice % (len(sentences) - 1)])


def _seen(conversation: Conversation) -> str:
    counted = [
        _plural(count, noun)
        for count, noun in ((conversation.images, "image"), (conversation.documents, "document"))
        if count
    ]
    if not counted:
        return ""
    if conversation.is_chinese:
        return f"收到 {conversation.images} 张图片和 {conversation.documents} 份文档。"
    return f" I received {' and '.join(counted)}."


def _about_results(conversation: Conversation) -> str:
    result = _echo(conversation.tool_results or "")
    if conversation.is_chinese:
        return f"工具的结果是：“{result}”。我已根据它作答。"
    return f"The tool answered: “{result}”. That is all I needed to reply."


def _continued(conversation: Conversation) -> str:
    return " and so it goes on: the simulator continued what you began."


def _echo(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _ECHO_CHARACTERS else flat[:_ECHO_CHARACTERS] + "…"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _chained(first: list[str], again: list[str]) -> Iterator[str]:
    yield from first
    yield from cycle(again)
