"""What somebody hears of what they did in the browser: that it is so, or why not, in one or two sentences."""

from collections.abc import Sequence

from tocsin.app.edits.changes import Telling, change_sentence, changes, sentence_heads
from tocsin.app.edits.conflicts import Conflict, conflict_sentence
from tocsin.domain.facts import Fact, Paged, StoodDown
from tocsin.domain.incident import Edit, Incident

NAMED_MOST = 4
"""People that are named one by one."""
NOTHING = "That is so already; nothing was changed."
NOT_CHANGED = "nothing was changed"
SIGN_IN = (
    "This needs you to sign in as yourself: a link alone may accept, pass, note, write an update for insiders, and say "
    "whether all is healthy. Nothing was changed."
)
NOT_ASKED = "Only who was asked whether all is healthy may say so by a link: sign in first. Nothing was changed."
RESOLVED = "It is resolved, so this was not done. You can note something, or open it again."
OPEN_ALREADY = "It is open already; nothing was changed."
STILL_OPEN = "It is not resolved, so nobody can say yet that all is healthy. Nothing was changed."
NO_UPDATE = "An update needs words: say what is new. Nothing was changed."
NO_TITLE = "Say in a line what is broken: that is the title. Nothing was declared."
NO_NOTE = "A note needs words. Nothing was changed."
UNREADABLE = "The incident's file cannot be read, so nothing can be changed from here until somebody mends it."
UNKNOWN_VERSION = (
    "The page that you had open is of a version that is not known here any more. Look at the incident again, then say "
    "it anew. Nothing was changed."
)
REVIEW_LINK = "The review is `done`, or a link that begins with https://. Nothing was changed."
UNWRITTEN = (
    "The incident's file cannot be written now, and operators are told. Nothing was changed: try again, or call."
)
BROKEN = "This could not be judged, and operators are told. Nothing was changed."
KEPT = "It is written, and counts as soon as the file is read."


def not_in_config(fault: ValueError) -> str:
    """A name that the config does not have: `fault` says which, and which there are."""
    sentence = str(fault)
    end = "" if sentence.endswith("?") else "."
    return f"{sentence[:1].upper()}{sentence[1:]}{end} Nothing was changed."


def too_many(most: int, minutes: int) -> str:
    """Somebody, or something in their name, does more than a person can."""
    return (
        f"More than {most} things were done in your name within {minutes} minutes, so this one was not. Accepting and "
        "passing work as ever; operators are told."
    )


def anew(sentence: str) -> str:
    """The file could not be edited, since somebody's text in it cannot be read: what became of that."""
    return f"The incident's file could not be read: {sentence}. Operators are told."


def changed_meanwhile(conflicts: Sequence[Conflict], telling: Telling) -> str:
    """Who changed what since the form was made."""
    deeds = [conflict_sentence(conflict, telling) for conflict in conflicts]
    return f"{'; '.join(deeds)}: after you had opened this page, so {NOT_CHANGED}."


def acted(before: Incident, edit: Edit, telling: Telling, since: Sequence[Fact]) -> str:
    """What is true now, and who is paged by it; `since` are the facts from the version on that says so."""
    changed = changes(before, edit)
    if before.resolved and edit.status is not None:  # that the words of the end are gone goes without saying
        changed = tuple(change for change in changed if change.after != "")
    sentences = [change_sentence(change, telling) for change in changed]
    if edit.entry:
        readers, hear = ("whoever is", "hears") if edit.entry.public else ("insiders who are", "hear")
        sentences.insert(0, f"Your update is in the incident; {readers} told of it {hear} it within seconds.")
    elif edit.note and not sentences:
        sentences.append("Your note is in the timeline.")
    return " ".join([*sentences, *_told(since, telling)])


def acted_before(edit: Edit, telling: Telling) -> str:
    """The same of an edit that was written before, by a daemon that ended just then."""
    if edit.entry:
        return "Your update is in the incident."
    sentences = [f"{head}." for head in sentence_heads(edit, telling)]
    return " ".join(sentences) or "Your note is in the timeline."


def declared(incident: str, title: str, severity: str, telling: Telling, since: Sequence[Fact]) -> str:
    """A new incident: its id, a colon, and what is true now. `declared_id` takes that apart."""
    return " ".join([f"{incident}: {severity.upper()} is declared: {title}.", *_told(since, telling)])


def declared_id(words: str) -> tuple[str, str]:
    """The id of what was declared, and the sentence for whoever did."""
    incident, _, sentence = words.partition(": ")
    return incident, sentence


def _told(since: Sequence[Fact], telling: Telling) -> list[str]:
    paged = dict.fromkeys(fact.person for fact in since if isinstance(fact, Paged))
    stood_down = dict.fromkeys(fact.person for fact in since if isinstance(fact, StoodDown))
    sentences = [("Paged", paged), ("Stood down", stood_down)]
    return [f"{word} now: {_names(list(people), telling)}." for word, people in sentences if people]


def _names(people: Sequence[str], telling: Telling) -> str:
    names = [telling.policy.person_name(person) for person in people[:NAMED_MOST]]
    more = len(people) - len(names)
    return ", ".join([*names, f"{more} more"] if more else names)
