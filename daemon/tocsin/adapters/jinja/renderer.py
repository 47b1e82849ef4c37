"""Which template speaks for a notification, and when the built-in text does instead: a broken template never delays a
page (P2). A user's folder overrides the shipped templates file by file.

Incident text is data, never template.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from tocsin.adapters.jinja import sources
from tocsin.adapters.jinja.faults import BrokenTemplateError, broken_template
from tocsin.adapters.jinja.sandbox import Codes
from tocsin.adapters.jinja.template_set import AnyWording, TemplateSet
from tocsin.domain.delivery import Content
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import NO_REPLY_OFFER, Kind, Notification, ReplyOffer
from tocsin.domain.people import Channel
from tocsin.domain.plan import AfterPages
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem
from tocsin.ports.renderer import BundledPage, MissingWords, OwnWords, TemplateFault, TemplateFiles, TemplateVerdict
from tocsin.wording.answer.samples import answer_samples
from tocsin.wording.answer.sign_in_wording import SIGN_INS
from tocsin.wording.language.language import ENGLISH, Language
from tocsin.wording.language.languages import Languages, folders_of
from tocsin.wording.message.builtin import builtin_content
from tocsin.wording.message.bundle import builtin_bundle, bundle_wording
from tocsin.wording.message.closing_words import closing_reader
from tocsin.wording.message.locale import language_of, zone_of
from tocsin.wording.message.page_words import BARE_REPLY, behind, in_front, unseen_warning
from tocsin.wording.message.samples import bundle_samples, samples
from tocsin.wording.message.wording import SHARED, wording
from tocsin.wording.operator.samples import TESTS, notice_samples

MISSING_NAMED = 3
"""Sentences that a language lacks that are named."""
REHEARSED = (Kind.PAGE, Kind.UPDATE, Kind.CLOSING)
"""Messages that are urgent, or that many get."""
RENDERINGS_MOST = 64
"""How many renderings are kept for readers who get the same words."""

Tell = Callable[[Problem], None]


@dataclass(frozen=True, slots=True)
class _Rendering:
    """Words rendered before, with what they were made of."""

    incident: Incident
    history: History
    policy: Policy
    content: Content


class JinjaRenderer:
    """Renders notifications. `tell` hears of templates that broke while rendering, each fault once until the next
    load. `codes` are those that another renderer of this process has compiled, and come to be this one's.
    """

    def __init__(self, shipped: Path, tell: Tell, codes: Codes | None = None) -> None:
        self._shipped = dict(sources.read(shipped).texts)
        self._tell = tell
        self._reported: set[Problem] = set()
        self._renderings: dict[tuple[Any, ...], _Rendering] = {}
        self._own: dict[str, str] = {}
        self._folder = Path("templates")
        self._loaded = False
        self._codes: Codes = {} if codes is None else codes
        self._languages = Languages(self._shipped)
        self._used = self._shipped_set = TemplateSet(
            self._shipped, self._shipped, self._codes, self._languages, self._say
        )

    def load(self, folder: Path) -> tuple[Problem, ...]:
        """Read a user's folder and use what can be parsed. Gives what is wrong."""
        files = self.read(folder)
        faults = self.unusable(files.texts)
        return self.use(files, TemplateVerdict(faults, frozenset(fault.name for fault in faults)))

    def read(self, folder: Path) -> TemplateFiles:
        """Read a user's folder."""
        return sources.read(folder)

    def prepare(self, files: TemplateFiles, verdict: TemplateVerdict) -> None:
        """Compile templates that were judged, since that takes longest: it is known to come to an end."""
        if not verdict.unread:
            self.unusable({name: text for name, text in files.texts.items() if name not in verdict.left_out})

    def warm(self) -> None:
        """Compile the shipped templates, so that the first message of each kind does not wait for it."""
        for name, text in self._shipped.items():
            self._used.warm(name, text)

    def rehearsal(self, channels: Collection[Channel], languages: Collection[str]) -> Iterator[None]:
        """Write a message of each kind that is urgent or goes to many, for nobody, one a step: it is written when the
        next step is asked for. What its templates need is compiled and read then; one that breaks says so when it is
        met.
        """
        for kind, via, code in product(REHEARSED, channels, languages):
            yield
            language = self._languages.of(code)
            words = next(words for words in samples() if words.kind == kind)
            with suppress(BrokenTemplateError):
                spoken = replace(words, language=language.code, direction=language.direction)
                self._used.content(spoken, via, language)

    def use(self, files: TemplateFiles, verdict: TemplateVerdict) -> tuple[Problem, ...]:
        """Take a user's templates, whole or not at all: with one that cannot be used the last good set goes on; at the
        first time the good ones count and the shipped text stands in for the others. Gives what is wrong.
        """
        folder, texts, problems = files.folder, files.texts, [*files.problems, *files.unread]
        instead = "the last good templates go on" if self._loaded else "the shipped text is used instead"
        for fault in verdict.faults:
            within = folder if fault.name in texts or not fault.name else Path("templates")
            problems.append(broken_template(within / fault.name, fault.line, f"{fault.why}; {instead}"))
        if problems and self._loaded:
            return tuple(problems)
        self._own = {name: text for name, text in texts.items() if name not in verdict.left_out}
        self._folder, self._loaded = folder, True
        used = {**self._shipped, **self._own}
        for name, text in list(self._codes):
            if used.get(str(name)) != text:
                self._codes.pop((name, text), None)
        self._languages = Languages(self._own, self._shipped)
        self._used = TemplateSet(used, self._shipped, self._codes, self._languages, self._say)
        self._renderings.clear()
        self._reported.clear()
        return tuple(problems)

    @property
    def has_own(self) -> bool:
        """Whether any template is not as it was shipped."""
        return any(text != self._shipped.get(name) for name, text in self._own.items())

    def unusable(
        self, texts: Mapping[str, str], begins: Callable[[str], None] = lambda _name: None
    ) -> tuple[TemplateFault, ...]:
        """The templates and catalogues that cannot be parsed. `begins` hears which one is looked at."""
        faults: list[TemplateFault] = []
        for name, text in texts.items():
            if text != self._shipped.get(name):
                begins(name)
                faults += self._used.unusable(name, text)
        return tuple(faults)

    def check(self) -> tuple[Problem, ...]:
        """What is wrong with the templates as they are when they are rendered."""
        return tuple(self._placed(fault, "mend it") for fault in self.breaking())

    def breaking(
        self, begins: Callable[[str], None] = lambda _name: None, in_use: Iterable[str] = ()
    ) -> tuple[TemplateFault, ...]:
        """The templates that break, each rendered for samples of its kind (all there is to say, as little as there can
        be, for insiders and outsiders) in English, in the languages `in_use`, and in those that the folder has words
        of. `begins` hears which one is rendered.
        """
        faults: dict[TemplateFault, None] = {}
        codes = (ENGLISH.code, *in_use, *folders_of(self._own))
        languages = {language.code: language for language in map(self._languages.of, codes)}.values()
        by_all: list[AnyWording] = [*samples(), *bundle_samples(), *notice_samples(), *TESTS, *SIGN_INS]
        by_sms: list[AnyWording] = [*answer_samples()]
        for words, via in (*product(by_all, Channel), *product(by_sms, [Channel.SMS])):
            for language in languages:
                spoken = replace(words, language=language.code, direction=language.direction)
                for broken in self._used.broken(spoken, via, language, begins):
                    faults[broken.fault] = None
        return tuple(faults)

    def missing(self, in_use: Iterable[str]) -> tuple[MissingWords, ...]:
        """What each of these languages says in English, of all that templates and code say. A language without any
        word is not among them.
        """
        own = self._used.sentences(name for name, text in self._own.items() if text != self._shipped.get(name))
        said = list(dict.fromkeys((*self._languages.shipped_sentences, *own)))
        found = []
        for language in {self._languages.of(code) for code in in_use}:
            lacking = [] if language.is_english else [text for text in said if text not in language.words]
            if lacking:
                found.append(MissingWords(language.code, len(lacking), len(said), tuple(lacking[:MISSING_NAMED])))
        return tuple(sorted(found, key=lambda words: words.language))

    def render(
        self,
        notification: Notification,
        incident: Incident,
        history: History,
        policy: Policy,
        invitation: ReplyOffer = NO_REPLY_OFFER,
        after: AfterPages | None = None,
    ) -> Content:
        """The words this reader gets; those who get the same words share one Content."""
        key = (*_key(notification, policy), history.subjects.get(notification.to), invitation)
        if notification.kind is Kind.CLOSING:
            key = (*key, closing_reader(notification, incident, history, policy))
        known = self._renderings.get(key)
        if known and known.incident is incident and known.history is history and known.policy is policy:
            return known.content
        language = self._languages.of(language_of(notification, policy))
        words = wording(notification, incident, history, policy, invitation, language, after=after)
        short, warning = notification.via.traits.short, ""
        if short and invitation.unseen_by:
            warning = unseen_warning(invitation, language)
            words = replace(words, acknowledge=BARE_REPLY) if invitation.bare_reply else words
        try:
            content = self._used.content(words, notification.via, language, warning)
        except BrokenTemplateError as broken:
            self._say(broken.fault)
            content = builtin_content(words, notification.via, language, warning)
        if invitation.unseen_by and not short:
            content = in_front(content, invitation, language)
        if len(self._renderings) >= RENDERINGS_MOST:
            self._renderings.clear()
        self._renderings[key] = _Rendering(incident, history, policy, content)
        return content

    def render_bundle(self, pages: Sequence[BundledPage], policy: Policy) -> Content:
        """The words of several pages to one reader, the worst first (rule 47)."""
        first = pages[0].notification
        told = pages[:1] if first.via.traits.short else pages
        language = self._languages.of(language_of(first, policy))
        worded = [
            wording(page.notification, page.incident, page.history, policy, page.offer, language, alone=False)
            for page in told
        ]
        tags = [policy.severity(page.incident.severity).name.upper() for page in pages]
        offers = [page.offer for page in pages if page.offer.code]
        code = next((offer.code for offer in offers if offer.needs_code), "")
        words = bundle_wording(worded, tags, replies=bool(offers), code=code)
        try:
            return self._used.content(words, first.via, language)
        except BrokenTemplateError as broken:
            self._say(broken.fault)
            subject, text = builtin_bundle(words, short=first.via.traits.short, language=language)
            return Content(text, subject)

    def unseen(self, content: Content, notification: Notification, policy: Policy, machine: str) -> Content:
        """The same words, and that this machine says them without seeing the ledger (R54)."""
        language = self._languages.of(language_of(notification, policy))
        offer = ReplyOffer(unseen_by=machine)
        if not notification.via.traits.short:
            return in_front(content, offer, language)
        return replace(content, text=behind(content.text, unseen_warning(offer, language)))

    def render_own(self, words_in: Callable[[Language], OwnWords], via: Channel, language: str) -> Content:
        """The words of what the daemon says by itself. Where the templates give none the shipped ones do."""
        spoken = self._languages.of(language)
        words = words_in(spoken)
        for templates in (self._used, self._shipped_set):
            try:
                return templates.content(words, via, spoken)
            except BrokenTemplateError as broken:
                self._say(broken.fault)
        return words.builtin(via)

    def _placed(self, fault: TemplateFault, instead: str) -> Problem:
        folder = self._folder if fault.name in self._own else Path("templates")
        return broken_template(folder / fault.name, fault.line, f"{fault.why}; {instead}")

    def _say(self, fault: TemplateFault) -> None:
        """Tell of a template that broke, once."""
        problem = self._placed(fault, "the built-in text was sent instead")
        if problem not in self._reported:
            self._reported.add(problem)
            self._tell(problem)


class UnseenRenderer(JinjaRenderer):
    """The words of a machine that cannot see the ledger, which say so and name no code (R54)."""

    def __init__(self, machine: str, shipped: Path, tell: Tell, codes: Codes | None = None) -> None:
        super().__init__(shipped, tell, codes)
        self._machine = machine

    def render(
        self,
        notification: Notification,
        incident: Incident,
        history: History,
        policy: Policy,
        invitation: ReplyOffer = NO_REPLY_OFFER,
        after: AfterPages | None = None,
    ) -> Content:
        """The words that this reader gets."""
        return super().render(notification, incident, history, policy, self._unseen(invitation), after)

    def render_bundle(self, pages: Sequence[BundledPage], policy: Policy) -> Content:
        """The words of several pages: an `ok` alone fits none of them."""
        unseen = [replace(page, offer=self._unseen(page.offer)) for page in pages]
        return self.unseen(super().render_bundle(unseen, policy), pages[0].notification, policy, self._machine)

    def _unseen(self, offer: ReplyOffer) -> ReplyOffer:
        return offer.unseen(self._machine, code_known=False)


def _key(notification: Notification, policy: Policy) -> tuple[Any, ...]:
    """What the words of a message depend on, beside incident, history and policy."""
    person = "" if notification.kind in SHARED else notification.to
    reader = (zone_of(notification, policy), language_of(notification, policy), person)
    about = (
        notification.kind,
        notification.reason,
        notification.via,
        notification.at,
        notification.group,
        notification.external,
        notification.next_update_at,
    )
    return (*about, *reader, notification.incident, notification.episode, notification.roles)
