"""P6: each message names the line of the config that asks for it."""

from tests.timelines.stage import Watch

CONFIG = """
severities:
  s1:
    page: {roles: [tl], via: [sms, email], acknowledge_within: 5m, rounds: 1, still_there_after: 1h}
    updates:
      - {to: [execs], every: 30m}
    remind_before: 5m
    verify_after: 30m
    review:
      {within: 2d}
roles:
  tl:
    chain:
      - ana
      - bo
  co: {chain: [gus]}
services:
  shop:
    responders:
      - eve
    stakeholders: [staff]
stakeholders:
  execs: {people: [ceo]}
  staff: {people: [cto]}
people:
  bo: {email: bo@example.com, phone: "+14155550102", reach: [email, {via: sms, after: 1m}]}
"""


def test_each_message_names_its_line() -> None:
    """A page names its level, a later channel the person, a stand-down and a handover the role, an update its stream or
    service, what comes after the resolution the severity or its `review`, the last resort the settings.
    """
    watch = Watch(CONFIG, "{severity: s1, services: [shop], roles: {co: gus}}")
    watch.until("11m")
    watch.ack("12m", "ana")
    watch.until("12m")
    watch.ack("12m30s", "gus")
    watch.until("12m30s")
    watch.see("13m", "roles: {co: gus, tl: dai}")
    watch.until("14m")
    watch.see("15m", "roles: {co: gus}")
    watch.until("1h20m")
    watch.see("1h21m", "status: resolved")
    watch.until("2h")
    lines = CONFIG.splitlines()
    named = {}
    for sent in watch.said:
        file, line = sent.rule.split(":")
        shown = lines[int(line) - 1].strip() if file.endswith("test.yaml") else file.split("/")[-1]
        named.setdefault((sent.kind.value, sent.reason.value, sent.to), shown)
    page, stream = lines[3].strip(), "- {to: [execs], every: 30m}"
    assert named == {
        ("page", "declared", "ana"): "- ana",
        ("page", "declared", "gus"): "co: {chain: [gus]}",
        ("page", "declared", "eve"): "- eve",
        ("page", "escalated", "bo"): "- bo",
        ("page", "reach", "bo"): next(line.strip() for line in lines if "reach:" in line),
        ("page", "last_resort", "olga"): "tocsin.yaml",
        ("page", "assigned", "dai"): "tl:",
        ("page", "still_there", "ana"): page,
        ("page", "still_there", "gus"): page,
        ("stand_down", "accepted", "bo"): "tl:",
        ("stand_down", "accepted", "olga"): "co: {chain: [gus]}",
        ("update", "declared", "ceo"): stream,
        ("update", "declared", "cto"): "shop:",
        ("update", "due", "ceo"): stream,
        ("update", "due", "cto"): "shop:",
        ("reminder", "update_due", "gus"): stream,
        **{("closing", "resolved", who): "s1:" for who in ("ana", "bo", "ceo", "cto", "dai", "eve", "gus", "olga")},
        ("review", "review_due", "olga"): "review:",
        ("verify", "verify_due", "ana"): "s1:",
    }
