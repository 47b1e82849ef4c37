"""`_` and `n_`: sentences of a template in the reader's language, at the cost of its budget.

A sentence is a plain text and stands in the template as it is, so that catalogues can be made of it; what it has room
for and what is given must fit. Both are looked at before a template is used, wherever in it they stand.
"""

from typing import Any

from jinja2 import nodes

from tocsin.adapters.jinja.bounds.budget import NODE, SEVERAL, Budget, unfit
from tocsin.wording.language.language import ENGLISH, Language
from tocsin.wording.language.placeholders import filled, filled_length, placeholders

SAY, COUNT = "_", "n_"
SAYING = {SAY: ("the sentence",), COUNT: ("what is said of one", "what is said of many", "how many there are")}
"""What each is given in order, before the names."""
NUMBER = "number"
"""The name that both sentences of a count know."""


class Sentences:
    """What templates say in the reader's language."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._language = ENGLISH

    def speak(self, language: Language) -> None:
        """Which language the message that begins is in."""
        self._language = language

    def say(self, text: str, **fields: Any) -> str:
        """The sentence, its names filled in."""
        return self._filled(self._language.sentence(text), fields)

    def count(self, one: str, many: str, number: Any, **fields: Any) -> str:
        """What is said of so many."""
        if not isinstance(number, int):
            raise unfit(number, "number of things")
        text = self._language.sentence_of(one, many, number)
        return self._filled(text, {**fields, NUMBER: self._language.number(number)})

    def table(self) -> dict[str, Any]:
        """Both by their names in templates."""
        return {SAY: self.say, COUNT: self.count}

    def _filled(self, sentence: str, fields: dict[str, Any]) -> str:
        """The sentence with its names filled in, paid for before it is made."""
        self._budget.look(len(sentence) + NODE * len(fields))
        texts = {name: self._text(name, value) for name, value in fields.items()}
        self._budget.make(filled_length(sentence, texts))
        return filled(sentence, texts)

    def _text(self, name: str, value: Any) -> str:
        if hasattr(value, "__html__"):
            raise TypeError(f"{name} holds HTML; a sentence is a plain text, so write the tags around it")
        if isinstance(value, SEVERAL):
            raise TypeError(f"{name} is a list and no text; write {name} | join(', ')")
        return self._budget.text(value)


def sentence_fault(node: nodes.Node) -> str:
    """What is wrong with a call of `_` or `n_`, if this is one."""
    if not isinstance(node, nodes.Call) or not isinstance(node.node, nodes.Name) or node.node.name not in SAYING:
        return ""
    name, wanted = node.node.name, SAYING[node.node.name]
    if node.dyn_args or node.dyn_kwargs or len(node.args) != len(wanted):
        return f"{name}() takes {', '.join(wanted)}, and then names: {name}({_example(name)})"
    texts = [arg.value for arg in node.args[: 1 if name == SAY else 2] if isinstance(arg, nodes.Const)]
    if len(texts) != (1 if name == SAY else 2) or not all(isinstance(text, str) and text for text in texts):
        return (
            f"the words of {name}() stand there as they are, so that they can be translated: {name}({_example(name)})"
        )
    return _misfit(name, texts, {keyword.key for keyword in node.kwargs})


def sentences_in(tree: nodes.Template) -> list[str]:
    """The sentences that a template says, in its order; of a count that of one, by which catalogues know it."""
    calls = [call for call in tree.find_all(nodes.Call) if _says(call)]
    return [call.args[0].value for call in calls if isinstance(call.args[0], nodes.Const)]


def _says(call: nodes.Call) -> bool:
    """Whether it is a call of `_` or `n_` that says anything."""
    return isinstance(call.node, nodes.Name) and call.node.name in SAYING and bool(call.args)


def _misfit(name: str, texts: list[str], given: set[str]) -> str:
    """Which names the words want and do not get, or get and do not want."""
    wanted = placeholders("".join(texts))
    known = given | ({NUMBER} if name == COUNT else set())
    quoted = texts[-1] if len(texts[-1]) <= 60 else texts[-1][:57] + "..."
    if NUMBER in given and name == COUNT:
        return f"{NUMBER} is known to n_() by itself; leave it out"
    if missing := sorted(wanted - known):
        return f'"{quoted}" has {{{missing[0]}}}, which is not given; write {missing[0]}=…'
    if idle := sorted(given - wanted):
        return f'"{quoted}" has no {{{idle[0]}}}, which is given; write it into the words or leave it out'
    return ""


def _example(name: str) -> str:
    return '"Next update by {time}.", time=next' if name == SAY else '"{number} page", "{number} pages", count'
