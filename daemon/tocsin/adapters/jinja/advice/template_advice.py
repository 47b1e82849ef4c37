"""Templates that nothing uses, and names in them that say nothing: what `tocsin check` warns of.

It is about what no sample reaches: what breaks with a sample is told as an error. Must not know how templates are
rendered.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice

from jinja2 import TemplateAssertionError, meta, nodes

from tocsin.adapters.jinja.advice.usage import PARTS, message_of, uses_of
from tocsin.adapters.jinja.advice.vocabulary import KINDS, PLANNED, kinds_with, names_of
from tocsin.adapters.jinja.bounds.sentences import sentences_in
from tocsin.adapters.jinja.judging import SUFFIX, trees_of
from tocsin.adapters.jinja.sources import is_catalogue
from tocsin.ports.renderer import TemplateAdvice
from tocsin.text.cleaning import cut
from tocsin.text.scalars import closest
from tocsin.wording.language.catalogue import placed_sentences, sentences_of
from tocsin.wording.language.language import parents

UNUSED, NO_NAME, SILENT = "template-unused", "template-name-unknown", "template-name-empty"
UNSAID = "sentence-unsaid"
UNSAID_MOST = 20
"""Sentences of one catalogue that are told."""
SENTENCE_SHOWN = 60
"""Letters of a sentence that are repeated."""
NOBODYS = "no message uses this template: nobody's `language` is {}"
GIVEN = frozenset({"range", "loop", "self", "super", "caller", "varargs", "kwargs", "_", "n_"})
"""What every template has of Jinja and of us."""


def advise(
    own: Mapping[str, str], shipped: Mapping[str, str], languages: Collection[str]
) -> tuple[TemplateAdvice, ...]:
    """What may not have been meant in a folder of `own` templates over the `shipped` ones; `languages` are those that
    the readers have.
    """
    trees = trees_of({**shipped, **own})
    uses = uses_of(trees, KINDS)
    own_words = any(is_catalogue(name) and text != shipped.get(name) for name, text in own.items())
    said = sentences_known(trees, shipped) if own_words else frozenset()
    spoken = {folder for language in languages for folder in (language, *parents(language))}
    found: list[TemplateAdvice] = []
    for name, text in own.items():
        if text == shipped.get(name):
            continue
        if is_catalogue(name):
            found += islice(_about_catalogue(name, text, said), UNSAID_MOST)
        if name not in trees:
            continue
        language, kind, _ = message_of(name)
        if not uses[name].kinds:
            known = [file for file in shipped if file.endswith(SUFFIX)]
            silent = language and language not in spoken and name.rpartition("/")[2] in known
            why = NOBODYS.format(language) if silent else _why_unused(name, known)
            found.append(TemplateAdvice(name, 1, UNUSED, why))
        elif language and language not in spoken and kind in KINDS and "/" not in language:
            found.append(TemplateAdvice(name, 1, UNUSED, NOBODYS.format(language)))
        else:
            assigned = {name for beside in uses[name].beside for name in _assigned(trees[beside])}
            found += _about_names(name, trees[name], uses[name].kinds, assigned)
    return tuple(sorted(found, key=lambda advice: (advice.name, advice.line)))


def sentences_known(trees: Mapping[str, nodes.Template], shipped: Mapping[str, str]) -> frozenset[str]:
    """All that messages say, in templates and in code: the English by which catalogues know it."""
    own = (sentence for tree in trees.values() for sentence in sentences_in(tree))
    code = (sentence for name, text in shipped.items() if is_catalogue(name) for sentence in sentences_of(text))
    return frozenset((*own, *code))


def _about_catalogue(file: str, text: str, said: frozenset[str]) -> Iterator[TemplateAdvice]:
    """Translations of sentences that no message says, because they are misspelt or an upgrade has changed them."""
    for line, sentence in placed_sentences(text):
        if sentence not in said:
            near = closest(sentence, said) or "; the sentences there are stand in messages.pot"
            yield TemplateAdvice(file, line, UNSAID, f'no message says "{cut(sentence, SENTENCE_SHOWN)}"{near}')


def _why_unused(name: str, known: list[str]) -> str:
    folder, _, file = name.rpartition("/")
    near = "" if file in known else closest(file, known)
    if near and folder:
        near = near.replace('"', f'"{folder}/', 1)
    called = f"a message's is called KIND.PART{SUFFIX} (PART: {', '.join(PARTS)}), and any other must be named in one"
    return f"no message uses this template{near or f'; {called}'}"


def _about_names(
    file: str, tree: nodes.Template, kinds: frozenset[str], assigned: Collection[str]
) -> Iterator[TemplateAdvice]:
    """Names that there are not, and names that are always empty in these kinds of messages."""
    try:
        undeclared = meta.find_undeclared_variables(tree)
    except (TemplateAssertionError, RecursionError):  # that is told elsewhere
        return
    known, planned = names_of(kinds), names_of(PLANNED)
    for name in sorted(undeclared - GIVEN - known - _asked_for(tree) - set(assigned)):
        line = next((node.lineno for node in tree.find_all(nodes.Name) if node.name == name), 1)
        if name in planned and kinds <= PLANNED:
            why = f"{name} is always empty here ({', '.join(sorted(kinds))}): it is for {', '.join(kinds_with(name))}"
            yield TemplateAdvice(file, line, SILENT, why)
        else:
            near = closest(name, known) or "; the names there are stand in docs/templates.md"
            yield TemplateAdvice(file, line, NO_NAME, f"'{name}' is undefined{near}")


def _assigned(tree: nodes.Template) -> Iterator[str]:
    """Names that a template gives itself, or those that it names."""
    yield from (node.name for node in tree.find_all(nodes.Name) if node.ctx == "store")
    yield from (node.name for node in tree.find_all(nodes.Macro))
    yield from (node.target for node in tree.find_all(nodes.Import))
    for node in tree.find_all(nodes.FromImport):
        yield from (name if isinstance(name, str) else name[1] for name in node.names)


def _asked_for(tree: nodes.Template) -> frozenset[str]:
    """Names that a template only uses where there are any: `x is defined`, `x | default("")`."""
    asked = [node.node for node in tree.find_all(nodes.Test) if node.name in {"defined", "undefined"}]
    asked += [node.node for node in tree.find_all(nodes.Filter) if node.name in {"default", "d"} and node.node]
    return frozenset(node.name for node in asked if isinstance(node, nodes.Name))
