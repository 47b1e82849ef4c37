"""How people sign in and out, as it lies in the inbox: strict models of a request, a typed code, and both ways out."""

from typing import Annotated, Literal

from pydantic import Field

from tocsin.domain.arrival import CodeEntry, LeaveEntry, SignInEntry, SignOutEntry
from tocsin.domain.people import Channel
from tocsin.formats.inbox.acts import EntryModel, Ref, Signature

TYPED_MOST = 320
"""Characters by which somebody says who they are: as many as a mailbox may have."""

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class SignInModel(EntryModel):
    """A request for a code, as its file has it."""

    kind: Literal["sign_in"]
    who: Annotated[str, Field(min_length=1, max_length=TYPED_MOST)]
    via: Literal["sms", "email"]
    browser: Digest
    incident: Annotated[str, Field(max_length=255)]
    episode: Annotated[int, Field(ge=0, le=1_000_000)]
    signature: Signature

    def entry(self) -> SignInEntry:
        """As the house's own value."""
        link = self.incident, self.episode, self.signature
        return SignInEntry(self.ref, self.who, Channel(self.via), self.browser, *link)


class CodeModel(EntryModel):
    """A typed code, as its file has it."""

    kind: Literal["code"]
    request: Ref
    code: Signature
    proof: Signature
    session: Digest

    def entry(self) -> CodeEntry:
        """As the house's own value."""
        return CodeEntry(self.ref, self.request, self.code, self.proof, self.session)


class LeaveModel(EntryModel):
    """Somebody signs out, as its file has it."""

    kind: Literal["leave"]
    session: Signature

    def entry(self) -> LeaveEntry:
        """As the house's own value."""
        return LeaveEntry(self.ref, self.session)


class SignOutModel(EntryModel):
    """A command signs somebody out, as its file has it."""

    kind: Literal["sign_out"]
    person: Annotated[str, Field(max_length=255)]

    def entry(self) -> SignOutEntry:
        """As the house's own value."""
        return SignOutEntry(self.ref, self.person)
