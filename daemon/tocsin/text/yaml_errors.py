"""The YAML parser's complaints, in words for people: what is wrong and what to write instead.

Must not know what a file means.
"""

import yaml

from tocsin.text.decoding import TOP, Place

_WORDS = {
    "mapping values are not allowed in this context": 'a ": " stands where none can; quote the value, or check the '
    "indentation of this line",
    "mapping values are not allowed here": 'a ": " stands where none can; quote the value, or check the '
    "indentation of this line",
    "did not find expected key": "this line fits neither the lines above nor a new key; check indentation and quotes",
    "could not find expected ':'": 'there is no ":" after this key; write `key: value`',
    "did not find expected ',' or ']'": "the list opened with [ is not closed; write ] after its last entry",
    "did not find expected ',' or '}'": "the { opened here is not closed; write } after its last entry",
    "did not find expected '-' indicator": "this line is no entry of the list above; check its indentation",
    "found unexpected end of stream": "the quote opened here is never closed",
    "block sequence entries are not allowed in this context": 'a list cannot begin here; put "- " on a line of its own',
    "found unknown escape character": r"in double quotes \ begins an escape; write \\ or use single quotes",
    "did not find expected <document start>": "this line belongs to nothing; check its indentation",
    "did not find expected node content": "a value is missing here",
}
_FIRST = {
    "\t": "a tab cannot indent; use spaces",
    "@": "a value that begins with @ needs quotes",
    "`": "a value that begins with ` needs quotes",
    "%": "a value that begins with % needs quotes",
}


_CONFLICT = ("<<<<<<< ", "||||||| ", ">>>>>>> ")
"""How git begins the lines that part the two sides of a merge that it could not make."""
_UNMERGED = (
    "a merge was not finished here; keep what counts of both sides, and remove the lines that begin with "
    "<<<<<<<, ======= and >>>>>>>"
)


def explain(fault: yaml.YAMLError, lines: list[str]) -> tuple[Place, str]:
    """The place and the words for a syntax error; `lines` is the text that was read. Where a merge was left half done,
    that is the error, whatever the parser stumbled over.
    """
    conflict = next((number for number, line in enumerate(lines, 1) if line.startswith(_CONFLICT)), None)
    if conflict is not None:
        return (conflict, 1), _UNMERGED
    if not isinstance(fault, yaml.MarkedYAMLError):
        return TOP, "the file is not YAML"
    problem = fault.problem or "the file is not YAML"
    mark = fault.problem_mark or fault.context_mark
    if problem == "found unexpected end of stream" and fault.context_mark:
        mark = fault.context_mark
    if mark is None:
        return TOP, problem
    line = lines[mark.line] if mark.line < len(lines) else ""
    words = _WORDS.get(problem, problem)
    if "cannot start any token" in problem or "'\\t'" in problem:
        words = _FIRST.get(line[mark.column : mark.column + 1], "a value that begins so needs quotes")
    elif line[: len(line) - len(line.lstrip())].count("\t"):
        words = _FIRST["\t"]
    return (mark.line + 1, mark.column + 1), words
