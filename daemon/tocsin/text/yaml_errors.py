"""The YAML parser's complaints, in words for people: what is wrong and what to write instead.

Must not know what a file means.
"""

import yaml

from tocsin.text.decoding import TOP, Place

_COLON = "mapping values are not allowed in this context"
_WORDS = {
    _COLON: 'a ": " stands where none can; quote the value, or check the indentation of this line',
    "mapping values are not allowed here": 'a ": " stands where none can; quote the value, or check the '
    "indentation of this line",
    "did not find expected key": "this line fits neither the lines above nor a new key; check indentation and quotes",
    "could not find expected ':'": 'there is no ": " after this key; write `key: value`',
    "found unexpected ':'": 'a blank or a value is missing behind this ":"; write `key: value`, or quote the whole',
    "did not find expected alphabetic or numeric character": "a value that begins with & or * needs quotes",
    "did not find expected comment or line break": "nothing more can stand behind | or > in this line; put the text "
    "below it, indented",
    "did not find expected ',' or ']'": "the list opened with [ in line {0} is not closed; write ] after its last "
    "entry, and commas between them",
    "did not find expected ',' or '}'": "the {{ opened in line {0} is not closed; write }} after its last "
    "entry, and commas between them",
    "did not find expected '-' indicator": "this line is no entry of the list above; check its indentation",
    "found unexpected end of stream": "the quote opened here is never closed",
    "block sequence entries are not allowed in this context": 'a list cannot begin here; put "- " on a line of its own',
    "found unknown escape character": r"in double quotes \ begins an escape; write \\ or use single quotes",
    "found invalid Unicode character escape code": "this escape is no character; write the character itself",
    "did not find expected <document start>": "this line belongs to nothing; check its indentation",
    "did not find expected node content": "a value is missing here",
}
_FAR_BEHIND = ("found unexpected end of stream", "could not find expected ':'")
"""What the parser notices only lines below the place where it went wrong."""
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
    if problem in _FAR_BEHIND and fault.context_mark:
        mark = fault.context_mark
    if mark is None:
        return TOP, problem
    line = lines[mark.line] if mark.line < len(lines) else ""
    words = _WORDS.get(problem, problem)
    if "{0}" in words:
        words = words.format((fault.context_mark or mark).line + 1)
    if problem == _COLON and (above := _without_colon(lines, mark.line)):
        return above, _WORDS["could not find expected ':'"]
    if "cannot start any token" in problem or "'\\t'" in problem:
        words = _FIRST.get(line[mark.column : mark.column + 1], "a value that begins so needs quotes")
    elif line[: len(line) - len(line.lstrip())].count("\t"):
        words = _FIRST["\t"]
    return (mark.line + 1, mark.column + 1), words


def _without_colon(lines: list[str], number: int) -> Place | None:
    """The line above, if it has just the indentation of this one and no colon with a blank behind it: `name:Ana`. The
    parser takes both for one text, and stumbles only over the colon of the second.
    """
    above = next((at for at in range(min(number, len(lines)) - 1, -1, -1) if lines[at].strip()), None)
    if above is None or number >= len(lines):
        return None
    text = lines[above].strip()
    indent = len(lines[above]) - len(lines[above].lstrip())
    alike = indent == len(lines[number]) - len(lines[number].lstrip())
    if not alike or text.startswith(("-", "#")) or ": " in text or text.endswith(":"):
        return None
    return above + 1, indent + 1
