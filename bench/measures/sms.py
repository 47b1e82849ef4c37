"""SMS a second: one update to many phones, each recorded before and after, beside the provider's own client alone."""

import asyncio
import contextlib

from bench.figures import Figure, Found
from bench.peers import twilio_client
from bench.rounds import Scale, in_turn
from bench.sinks import StampingSink, seconds_for
from bench.twilio import ACCOUNT
from bench.world import folder, world

PROVIDER = "{{transport: twilio, account_sid: {account}, api_url: 'http://127.0.0.1:{port}', sender: '+15005550006'}}"
WARM = 40


def sms(scale: Scale) -> Found:
    """Both into the same server, in turn, each warmed up."""
    count = scale.of(1000, 60)
    with contextlib.ExitStack() as stack:
        sink = StampingSink(stack.enter_context(folder()), module="bench.twilio")
        stack.callback(sink.close)

        def theirs() -> float:
            asyncio.run(twilio_client.sms(sink.port, WARM))
            return asyncio.run(twilio_client.sms(sink.port, count))

        def ours() -> float:
            provider = PROVIDER.format(account=ACCOUNT, port=sink.port)
            with world(sms=provider, more="".join(_phones(count))) as here:
                here.start(environ={"TOCSIN_SMS__AUTH_TOKEN": "secret"})
                before = sink.taken()
                seconds_for(sink, before + WARM, here.declare_all(["warm"], "some"))
                before = sink.taken()
                return count / seconds_for(sink, before + count, here.declare_all(["many"], "all"))

        client, daemon = in_turn(scale.rounds, theirs, ours)
    return Found([Figure("sms", daemon, "the twilio async client alone, 16 at once", client)])


def _phones(count: int) -> list[str]:
    """People with phones, and severities that tell forty or all of them."""
    people = [f'  r{number}: {{name: Reader {number}, phone: "+1415555{number:04}"}}\n' for number in range(count)]
    groups, severities = [], []
    for name, size in (("some", WARM), ("all", count)):
        readers = ", ".join(f"r{number}" for number in range(size))
        groups.append(f"  {name}: {{people: [{readers}], via: [sms], external: false}}\n")
        severities.append(f"  {name}: {{updates: [{{to: [{name}], every: 4h}}]}}\n")
    return ["people:\n", *people, "stakeholders:\n", *groups, "severities:\n", *severities]
