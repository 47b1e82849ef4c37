"""Templates at random, by the grammar of Jinja: most are good, and many of them want too much."""

from random import Random

TEXTS = ("s", "t", "title", "summary", "id", "'x'", "'aaaa'", "'%0999999d'", "''", "'a b c'", "news[0].text")
LISTS = ("k", "l", "services", "holders", "[s, t]", "[]", "[1, 2, 3]", "range(97) | list", "['b', 'a', 'b']")
NUMBERS = ("n", "0", "1", "3", "97", "4999", "99999999", "-1", "1.5", "l | length", "s | length", "count_of")
TEXT_MADE = (
    "({0} ~ {1})", "({0} + {1})", "({0} * {2})", "{0} | upper", "({0}).title()", "{0} | replace({1}, {0})", "{3} | join({1})",
    "{0} | replace('a', {0})", "{0} | truncate(9)", "{0}[1:]", "{0}[::-1]", "{3} | string", "{0} | e", "{0} | safe", "m({0})",
    "({0}).strip({1})", "({0}).partition({1})[0]", "({0} if {2} else {1})", "{0} | trim", "{0} | reverse", "{3} | first | default({0}) | string",
    "({0}).casefold()", "{0} | title", "{3} | map('string') | join", "({0}).removeprefix({1})",
)  # fmt: skip
LIST_MADE = (
    "({0} + {1})", "({0} * {2})", "[{0}, {0}]", "[{0}, {1}, {3}]", "{0}[1:]", "{0}[::-1]", "{0} | list", "{0} | map('string') | list",
    "({3}).split()", "({3}).split({3})", "({3}).splitlines()", "{0} | select('in', {1}) | list", "{0} | reject('eq', {3}) | list",
    "{0} | map('string') | sort", "{0} | map('string') | unique | list", "{0} | reverse | list", "[({0},), {{{3}: {0}}}]", "{3} | list",
    "news | map(attribute='text') | list", "{{{3}: {0}}}.items() | list", "[{0}] * 97", "(range(3000) | list)",
)  # fmt: skip
NUMBER_MADE = (
    "({0} + {1})", "({0} * {1})", "({0} - {1})", "({0} // 3)", "({0} % 7)", "{3} | length", "{2} | length", "({3}).count({3})", "({3}).find({3})",
    "{0} | abs", "{3} | int", "{3} | wordcount", "({2}).count({3})", "{0} ** {1}",
)  # fmt: skip
TRUTHS = (
    "{0} == {0}", "{0} in {0}", "{1} == {1}", "{0} in {1}", "{1} in {1}", "{1} < {1}", "{2} < {2}", "{2} is odd", "{0} is divisibleby(3)",
    "{0} is odd", "{1} is eq({1})", "{0} is upper", "{1} is in({1})", "{0} is defined", "({0}).startswith({0})", "not {1}", "{0} and {1}",
)  # fmt: skip
GROWING = (
    "{{% set {0} = [{0}, {0}] %}}",
    "{{% set {0} = ({0}, {0}) %}}",
    "{{% set {0} = {0} + {0} %}}",
    "{{% set {0} = {0} ~ {0} %}}",
)
CASES_DEEP = 3


class Grammar:
    """Texts of one random source."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def template(self) -> str:
        """A whole template. It begins with a macro, and with names that hold something."""
        macro = "{% macro m(x) %}{% for i in [1, 2] %}{{ x }}{% endfor %}{% if caller is defined %}{{ caller() }}{% endif %}{% endmacro %}"
        names = f"{{% set s = {self.text(1)} %}}{{% set t = {self.text(1)} %}}{{% set n = 5 %}}{{% set count_of = n %}}"
        return f"{macro}{names}{{% set k = [s, t] %}}{{% set l = [1] * 7 %}}{self.body(CASES_DEEP)}"

    def body(self, depth: int) -> str:
        """Some statements, which hold each other so deep at most."""
        return "".join(self._statement(depth) for _ in range(self._random.randint(1, 4)))

    def text(self, depth: int) -> str:
        """An expression that is a text, mostly."""
        return self._made(TEXTS, TEXT_MADE, depth, (self.text, self.text, self.number, self.several))

    def several(self, depth: int) -> str:
        """An expression that is a list, mostly."""
        return self._made(LISTS, LIST_MADE, depth, (self.several, self.several, self.number, self.text))

    def number(self, depth: int) -> str:
        """An expression that is a number, mostly."""
        return self._made(NUMBERS, NUMBER_MADE, depth, (self.number, self.number, self.several, self.text))

    def truth(self, depth: int) -> str:
        """An expression that is true or not."""
        made = [self.text(depth), self.several(depth), self.number(depth)]
        return self._random.choice(TRUTHS).format(*(f"({part})" for part in made))

    def _made(self, plain: tuple[str, ...], made: tuple[str, ...], depth: int, parts: tuple) -> str:  # type: ignore[type-arg]
        if depth <= 0:
            return self._random.choice(plain)
        return "(" + self._random.choice(made).format(*(part(depth - 1) for part in parts)) + ")"

    def _statement(self, depth: int) -> str:
        pick, deep = self._random.choice, self._random.randint(0, 2)
        plain = [
            f"{{{{ {self.text(deep)} }}}}",
            f"{{{{ {pick((self.several, self.number, self.truth))(deep)} }}}}",
            f"{{% set {pick('st')} = {self.text(deep)} %}}",
            f"{{% set {pick('kl')} = {self.several(deep)} %}}",
            pick(GROWING).format(pick("lkst")) * self._random.randint(1, 20),
            "<b>text</b>" * self._random.randint(1, 50),
        ]
        if depth <= 0 or self._random.random() < 1 / 2:
            return pick(plain)
        inside = self.body(depth - 1)
        loop = pick((self.several(1), self.several(0), self.text(0), "range(97)", "range(2400)", "news"))
        return pick((
            f"{{% for i in {loop} %}}{inside}{{{{ loop.index }}}}{{% endfor %}}",
            f"{{% for i in {loop} if {self.truth(0)} %}}{inside}{{% endfor %}}",
            f"{{% if {self.truth(deep)} %}}{inside}{{% else %}}{self.body(depth - 1)}{{% endif %}}",
            f"{{% set {pick('st')} %}}{inside}{{% endset %}}",
            f"{{% call m({self.text(1)}) %}}{inside}{{% endcall %}}",
            f"{{% filter {pick(('upper', 'title', 'e', 'trim', 'reverse'))} %}}{inside}{{% endfilter %}}",
            f"{{% block b{self._random.randrange(10**9)} %}}{inside}{{% endblock %}}",
        ))  # fmt: skip
