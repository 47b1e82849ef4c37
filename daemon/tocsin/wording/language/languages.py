"""The languages that there are words in, by the folders that hold them, and which one a reader gets.

A catalogue that stands before another is asked first, word by word: a user's before the shipped one, that of a country
before that of its language, English last.
"""

from collections.abc import Iterable, Iterator, Mapping

from tocsin.wording.language.catalogue import read_catalogue, sentences_of
from tocsin.wording.language.language import ENGLISH, Language, Translation, parents

CATALOGUE = "messages.po"


class Languages:
    """Languages by their folders in templates, `DE/messages.po` beside `DE/page.sms.txt.j2`. `layers` are the texts of
    templates by their paths, those that stand before the others first. A catalogue is read when it is first asked for,
    and must have been found good by then.
    """

    def __init__(self, *layers: Mapping[str, str]) -> None:
        self._layers = layers
        self._folders = {canonical(name): name for name in folders_of(name for layer in layers for name in layer)}
        self._known: dict[str, Language] = {}

    def of(self, code: str) -> Language:
        """The language of a reader, if there is any word or template in it; else English."""
        code = canonical(code)
        if code not in self._known:
            spoken = any(name in self._folders for name in (code, *parents(code)))
            self._known[code] = self._language(code if spoken else ENGLISH.code)
        return self._known[code]

    def paths(self, language: Language, name: str) -> tuple[str, ...]:
        """Where a template of a language is looked for, in order; last beside the languages."""
        codes = (language.code, *parents(language.code))
        return (*(f"{self._folders[code]}/{name}" for code in codes if code in self._folders), name)

    @property
    def shipped_sentences(self) -> tuple[str, ...]:
        """Every sentence that the last layer translates into any language: all that templates and code say."""
        texts = [text for name, text in self._layers[-1].items() if name.rpartition("/")[2] == CATALOGUE]
        return tuple(dict.fromkeys(sentence for text in texts for sentence in sentences_of(text)))

    def _language(self, code: str) -> Language:
        words: dict[str, Translation] = {}
        for name in dict.fromkeys((code, *parents(code), ENGLISH.code)):
            for layer in self._layers:
                text = layer.get(f"{self._folders.get(name)}/{CATALOGUE}")
                words = {**read_catalogue(text, name)[0], **words} if text else words
        return Language(code, words)


def folders_of(names: Iterable[str]) -> Iterator[str]:
    """The folders of languages among the paths of templates, each once."""
    return iter(dict.fromkeys(name.partition("/")[0] for name in names if "/" in name))


def canonical(code: str) -> str:
    """A language's code as it is mostly written, whatever its case: `pt-BR`, `zh-Hant-TW`."""
    first, *rest = code.replace("_", "-").split("-")
    cased = [part.upper() if len(part) == 2 else part.capitalize() if len(part) == 4 else part.lower() for part in rest]
    return "-".join((first.lower(), *cased))
