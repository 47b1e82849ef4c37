"""What tocsin does while a trouble lasts, and what people do: the same sentences as in docs/operators.md."""

from collections.abc import Mapping
from dataclasses import dataclass

from tocsin.domain.operator_notice import Trouble


@dataclass(frozen=True, slots=True)
class Advice:
    """Two sentences or three."""

    meanwhile: str
    act: str


ADVICE: Mapping[Trouble, Advice] = {
    Trouble.CONFIG_REFUSED: Advice(
        "the last good config goes on, whole. Nobody's page waits. What you changed does not count yet.",
        "`tocsin check` shows the same places; mend them. Nothing needs a restart: the daemon looks every 2 s.",
    ),
    Trouble.CONFIG_IN_PART: Advice(
        "everybody else is told as ever. Who is named in the message gets nothing there; whoever has no other address "
        "is passed over, and the next in the chain is paged.",
        "mend the config at once (`tocsin check` names the places). If this is no first start after an upgrade, see "
        "who else may write the ledger, and whether `tocsin.db.key` beside it is the daemon's own user's still, mode "
        "0600.",
    ),
    Trouble.CONFIG_BEHIND: Advice(
        "the newest config of the ledger goes on, whole. Nobody's page waits.",
        "bring the config folder of this machine up to date (git pull; `systemctl status tocsin-pull` if it follows "
        "git). Meant to go back to the older one? Put that into force by a commit that undoes the newer.",
    ),
    Trouble.CONFIG_UNREAD: Advice(
        "the config in force goes on, whole. After a start, templates that cannot be read are the last good ones if a "
        "key vouches for those, else the shipped ones. All is read again after 1, 2, 4 s and so on, at least "
        "each minute.",
        "see to the disk or the rights (`cat` the file as the daemon's user). Nothing needs a restart.",
    ),
    Trouble.SETTINGS_NEED_RESTART: Advice(
        "the old values go on; everything else of the new config is in force.",
        "if nobody meant messages or links to go to a new place, find out who changed it, and restart nothing. Else "
        "restart the daemon when it suits: `systemctl restart tocsin`. A clean stop takes at most some seconds, "
        "and nothing is lost or sent twice.",
    ),
    Trouble.TEMPLATE_BROKEN: Advice(
        "messages of that kind go out all the same, with built-in or shipped words, or those of the last "
        "templates that worked.",
        "`tocsin check` renders every template and names the place; mend it. It counts as soon as it is saved.",
    ),
    Trouble.PULL_REFUSED: Advice(
        "the config stays at the commit that the message names. Pages go on by it.",
        "mend the config upstream and push; or put the local branch right by hand.",
    ),
    Trouble.FILE_UNREADABLE: Advice(
        "an incident that was read before goes on as it last could be read. One that never was pages the last "
        "resort, with the file's first lines. A link, pipe or device is not opened, and nobody is paged for it.",
        "mend the file (`tocsin check FILE`), or remove it if it is none. One that the daemon may not read: `chmod g+r "
        "FILE` and `chgrp tocsin FILE`, so that its user may.",
    ),
    Trouble.FILE_FAULTY: Advice(
        "the incident is served with everything else that the file says. A severity that cannot be read counts as"
        " `unreadable_severity`.",
        "mend the file. What is written there then counts at once.",
    ),
    Trouble.FILE_VANISHED: Advice(
        "the incident stays open as it last was read; pages and updates go on.",
        "put the file back; or, if it is over, `tocsin resolve ID`, which writes the file anew.",
    ),
    Trouble.UNREAD_FILE_GONE: Advice(
        "its pages have ended.",
        "ask whoever was paged whether something was meant to be declared.",
    ),
    Trouble.REOPENINGS_HELD: Advice(
        "they stay resolved; nobody is paged. All other files count as ever.",
        "if it was not meant, put the files back (`git checkout main`). To reopen one of them, `tocsin update ID "
        '"TEXT"`, or edit its file any further.',
    ),
    Trouble.FOLDER_UNREADABLE: Advice(
        "open incidents go on with their pages and updates, also across a restart. New incidents, and answers and"
        " changes in files, are not seen. The dead man's switch is not pinged.",
        "bring the folder back (mount, server, rights for the daemon's user; `ls` it). A restart of tocsin cures "
        "nothing. To answer meanwhile: `ok` by SMS or the link.",
    ),
    Trouble.FOLDER_UNMARKED: Advice(
        "incidents are served as ever. But if the file cannot be written, `tocsin declare`, `ack` and the others say "
        "that no daemon watches, and exit 1; and without locks a second daemon on the same folder, which would page "
        "everybody twice, may go unnoticed.",
        "let the daemon's user write that one file (`touch .tocsin-watched; chown tocsin .tocsin-watched`, and "
        "`ReadWritePaths=` in the unit). If a link or a folder stands in its place, remove that first. Without locks, "
        "see to it that only one daemon watches the folder.",
    ),
    Trouble.FOLDER_SHARED: Advice(
        "both page: each incident leaves twice. Machines that share a ledger may share the folder too: of those only "
        "the one that leads pages.",
        "stop one of them, or let it watch another folder (`incidents` in its `tocsin.yaml`).",
    ),
    Trouble.NOBODY_ON_CALL: Advice(
        "the step takes no time: the next level is paged at once, in the end the last resort.",
        "close the gap: `tocsin oncall`, `tocsin check`.",
    ),
    Trouble.PAGE_LOST: Advice(
        "if nobody else of its step was reached, the next level is paged at once; in place of a responder nobody is. "
        "What was not delivered is tried once more after 30 s.",
        "call the person, or name somebody who can be reached: `tocsin assign ID ROLE PERSON`. Correct wrong "
        "addresses in the config: they are tried at once.",
    ),
    Trouble.ANSWER_IN_VAIN: Advice(
        "the ladder goes on as if nothing had been said.",
        "if they are to take it, `tocsin assign ID ROLE PERSON`.",
    ),
    Trouble.INCIDENT_STUCK: Advice(
        "it is tried again after 1, 2, 5, 10 and then each 30 s. All other incidents go on.",
        "page whom the message concerns by hand (`tocsin explain ID`, `tocsin oncall`), and report the log.",
    ),
    Trouble.INCIDENT_SET_ASIDE: Advice(
        "this one incident is set aside and declared anew from its file, so its people are paged again; without a"
        " file that can be read the last resort is paged, unless it was over. All other incidents go on. The rows"
        " stay in the ledger under `ID (put aside …)`.",
        "look whether everybody knows who has it (`tocsin status`): earlier answers are forgotten, and whoever "
        "was told by the earlier one alone hears no end. After a downgrade, update tocsin.",
    ),
    Trouble.REVIEW_UNWRITTEN: Advice(
        "nothing else waits for it.",
        "mend the cause (rights, disk), then `tocsin review ID`.",
    ),
    Trouble.PROVIDER_REFUSES: Advice(
        "pages go by the other channel. What waits is tried again, pages at least each minute.",
        "what the message names: the setting, the credential, the account. `tocsin doctor` looks at all of it, `tocsin "
        "send-test PERSON` tries it.",
    ),
    Trouble.PROVIDER_UNWELL: Advice(
        "messages leave by the fallback that is named. The sick one gets one message a minute, to see whether it is "
        "well.",
        "what the message names: the setting, the credential, the account. `tocsin send-test PERSON --provider NAME` "
        "tries it.",
    ),
    Trouble.SMS_UNDELIVERED: Advice(
        "each page that was not delivered goes by the person's other channel at once; where there is none, the "
        "next level is paged.",
        "what the message names, in the provider's console: register the sender, lift the suspension, ask its "
        "support. Until then let people have an email address.",
    ),
    Trouble.RECIPIENT_DENIED: Advice(
        "messages to all others leave. What is denied goes by another provider or the other channel, and is tried "
        "again, pages at least each minute.",
        "what the message names: let the mail server carry mail to other domains, tick the country, name a sender for "
        "it.",
    ),
    Trouble.ADDRESS_REFUSED: Advice(
        "whoever has another channel is reached by that; of whoever has none the next level is asked, and you are told "
        "that the page reached nobody. In this incident the address is not tried again.",
        "correct it in the config, at the place that the message names.",
    ),
    Trouble.MESSAGE_REFUSED: Advice(
        "that message is not sent there again. A page goes by the person's other channel at once; where there is none, "
        "the next level is paged. The address stays good: the next message goes to it.",
        "what the message names. What providers answer, and what helps, stands in docs/providers.md.",
    ),
    Trouble.NUMBER_STOPPED: Advice(
        "no SMS goes to that number, from whatever sender, in this incident and later ones. Whoever has another "
        "channel is reached by that, at once where an answer is wanted; of whoever has none the next level is asked.",
        "call them, and have them text START to the number that pages come from; only that lifts it. Until then see "
        "that somebody else is on call, or that they have email.",
    ),
    Trouble.ANSWERS_UNREAD: Advice(
        "people are paged on although they may have answered. Nothing is lost: answers count once they are read."
        " With `replies.by: webhook` those that the provider brings count as ever; only what came while nobody took its"
        " call waits.",
        "acknowledge by the link, by `tocsin ack ID --as PERSON` or in the file; mend what the message names.",
    ),
    Trouble.ANSWER_FLOOD: Advice(
        "that number gets at most 20 answers within an hour. What comes from there beyond that still counts, "
        "unanswered. An `ok` to what was handed back three times within an hour, by whatever way, counts once it has "
        "stood for a minute.",
        "call the person. If it is not they who write, somebody forges their number as the sender: have the provider "
        "block it, and set `replies: {code: required}`, so that only an answer with a page's code counts. If it came "
        "by their link or as them signed in, sign them out (`tocsin sign-out PERSON`).",
    ),
    Trouble.ARRIVAL_UNJUDGED: Advice(
        "all others are.",
        "ask the sender if it was an answer; report the log.",
    ),
    Trouble.INBOX_UNUSABLE: Advice(
        "pages go on; answers by link and webhooks wait there; SMS that we ask for, files and commands count.",
        "put the folder right: it belongs to the web side's user, and the daemon's group reads and writes it.",
    ),
    Trouble.SIGN_INS_TRIED: Advice(
        "nobody was let in by that; each code is good for 5 minutes, five tries and the browser that asked for it.",
        "ask that person whether it is they. If not, tell them to give a code to nobody; if somebody may have had one: "
        "`tocsin sign-out PERSON`. `systemctl stop tocsin-web` ends it; pages and answers by SMS go on.",
    ),
    Trouble.INBOX_REFUSED: Advice(
        "it counts for nothing; everything else in the inbox is judged.",
        "what the message says; if the web side left what nobody sent it, stop it and look how it was broken into.",
    ),
    Trouble.INBOX_FLOODED: Advice(
        "pages go on; answers by link are judged before all else there, and SMS are asked for each minute.",
        "the log says what is refused; stop the web side (`systemctl stop tocsin-web`) if nothing else helps.",
    ),
    Trouble.ALERTS_UNWRITTEN: Advice(
        "they are kept and tried again each few seconds, in their order; nobody is paged for them yet.",
        "if the message names a file that cannot be edited, correct it; else see to the rights and the disk of the "
        "incident folder. What is urgent, declare by hand: `tocsin declare`. If it names very many incidents that "
        "nobody knows of, somebody sends their own words: `systemctl stop tocsin-web`.",
    ),
    Trouble.ALERTS_MANY: Advice(
        "pages go on. Each of them pages as its severity says; of the same severity what a person declares goes first.",
        "look whether it is a real storm: Alertmanager's own page shows the same alerts. If it does not, they are"
        " forged: stop the web side (`systemctl stop tocsin-web`), change its token (`TOCSIN_WEB__TOKEN`), take "
        "`web.alertmanager` out of the config until you know how it was broken into, and resolve what was forged "
        "(`tocsin status` lists it).",
    ),
    Trouble.EDITS_UNWRITTEN: Advice(
        "whoever did it on a page was told that nothing was changed, and has their text; a file that was saved counts "
        "as it is; pages and answers go on.",
        "see to the rights and the disk of the incident folder. Commands on the server write the same files.",
    ),
    Trouble.EDITS_MANY: Advice(
        "no more of it is done for some minutes; accepting and passing count as ever, and so does everybody else.",
        "ask them. If it was not they, somebody has their phone or the web side: sign them out (`tocsin sign-out "
        "PERSON`), or stop it (`systemctl stop tocsin-web`), and look at the incidents' timelines for what was done.",
    ),
    Trouble.UNSUBSCRIBE_WISH: Advice(
        "nothing was changed: who hears stands in the config alone.",
        "take the address out of the group that the message names, or talk to them.",
    ),
    Trouble.LEDGER_UNWRITABLE: Advice(
        "pages go out from memory, at most two copies of each, and so do messages like this one, once. Updates "
        "and the rest wait.",
        "make room, or mend the disk; if the message says that it is locked, end the program that holds it: "
        "`fuser -v tocsin.db` lists it beside tocsin's own. If it is the web side's, `systemctl stop tocsin-web`. "
        "Do not restart the daemon before: it would forget what it knows.",
    ),
    Trouble.LEDGER_DISK_FULL: Advice(
        "it gave up the ballast, 8 MB that it holds beside the ledger as `tocsin.db.ballast` for this, and works "
        "as ever for as long as they last.",
        "make room on that disk. When those 8 MB are used up, pages go out from memory (ledger-unwritable).",
    ),
    Trouble.LEDGER_IN_MEMORY: Advice(
        "incidents are paged as ever. If what the file held is not known, open incidents are declared anew from "
        "their files and their people paged again. `tocsin status` and the web side see the file as it was. "
        "Answers by link do not reach tocsin; those by SMS and by file do.",
        "make room, or mend the disk. Do not restart tocsin before: what happened since its start would be forgotten.",
    ),
    Trouble.LEDGER_REPLACED: Advice(
        "it was made anew with all that it held, and nobody is paged again. Another file is kept beside it as "
        "`tocsin.db.replaced-…`.",
        "find out who deletes there (a clean-up of old files?). To go back to a backup, stop tocsin first. If the"
        " message says that the file cannot be made anew: make room or give back the rights, and do not restart "
        "tocsin before.",
    ),
    Trouble.LEDGER_OLDER: Advice(
        "it goes on with that ledger. What it sends again within the hour is recorded as a possible second copy, "
        'with the cause "the ledger is an older copy". Answers of since then are forgotten unless they stand in '
        "the incident's file.",
        "tell the people on call that they may be paged for what they have answered; look at `tocsin status`. If "
        "the copy was put back by mistake: stop tocsin, put the newer file there, start it. Of a database on a server "
        "its administrators know why it went back; stop all daemons before a newer copy is put back.",
    ),
    Trouble.SENT_MARK_UNWRITABLE: Advice(
        "nothing else stops. Only if an older copy of the ledger were put back now, what is sent again would not "
        "be marked as that.",
        "make room, or give back the rights.",
    ),
    Trouble.LEDGER_AWAY: Advice(
        "if another machine leads, and reaches the database, all goes on there. This one pages by itself what is newly "
        "declared in its own folder, and, if it leads, what was decided already: each page says that it may be "
        "answered already, and it is handed in once the database is back. Told once an hour.",
        "the message has the database's words, and `tocsin doctor` on this machine says what is in the way. See "
        "whether PostgreSQL, or the pooler before it, runs, has room on its disk and takes connections from here; "
        "whether the role `tocsin` still has its rights (`grants.sql`) and its password: a new one goes into "
        "`tocsin_ledger` on each machine, and its daemon is restarted. Nothing else needs a restart.",
    ),
    Trouble.TOO_OLD_TO_LEAD: Advice(
        "this machine stands by, and nobody leads: the machine that led is away, its newer tocsin has changed "
        "the ledger, and the one here is too old to lead it. It pages by itself what is newly declared in its "
        "own folder: each page says that it may be answered already, and it is handed in once a machine leads. "
        "What was open before goes no further. Told once an hour.",
        "update tocsin on this machine, as on the one that led, and restart it; or bring that one back. `tocsin "
        "nodes` shows the version of each. If something was open before, call who is on call by phone (`tocsin "
        "oncall`).",
    ),
    Trouble.LEDGER_ANOTHER: Advice(
        "tocsin goes on with what this database knows: incidents that are open in it, and none of the other one's. "
        "What was open there is declared anew where its file is still open.",
        "if you moved to another database on purpose, nothing. If not, stop this machine's daemon, put `ledger:` and "
        "TOCSIN_LEDGER right and start it again: two installations need two databases.",
    ),
    Trouble.LEDGER_DAMAGED: Advice(
        "a fresh one goes on. It knows nothing: open incidents are declared anew, and people may be paged again.",
        "keep the file that was set aside; look for what damaged it (disk, a copy of a running ledger).",
    ),
    Trouble.LOG_UNWRITABLE: Advice(
        "paging goes on as if nothing were wrong; the log never stops it. Lines that cannot be written are counted.",
        "look at what reads the log: `systemctl status systemd-journald` and `df -h` of its disk; where it is a "
        "terminal, Ctrl-Q. If the reader of a pipe is gone, only a restart of the daemon brings the log back.",
    ),
    Trouble.CLOCK_WAS_AHEAD: Advice(
        "they count as now. So nobody waits for a time that was never right: ladders go on, and new incidents are"
        " paged at once.",
        "see that the clock is right now: `timedatectl` should say that it is synchronized. Let the daemon start "
        "after the time is (`systemctl enable systemd-time-wait-sync`).",
    ),
    Trouble.CLOCK_MOVED: Advice(
        "tocsin goes by the new time within seconds: turns, opening hours, cron and the times in messages. Every "
        "wait is kept: no page came early or late, and a promised next update was moved along.",
        "if the clock is right now, nothing. If not, put it right (`timedatectl`, `chronyc tracking`); tocsin "
        "follows again.",
    ),
    Trouble.CLOCK_DIFFERS: Advice(
        "tocsin goes on by its own time: pages and waits are right, but turns, opening hours and the times in "
        "messages are off by the difference that the message names.",
        "see that one time server alone sets the clock (`timedatectl`, `chronyc tracking`; a virtual machine's "
        "host may set it too), and that the ledger can be written.",
    ),
    Trouble.MACHINE_CLOCK: Advice(
        "all machines go by the database's clock: pages, waits, turns and the times in messages are right if that "
        "one is. This machine's log, and other programs on it, go by its own.",
        "see that time servers set both clocks (`timedatectl`, `chronyc tracking`), and which of the two is wrong.",
    ),
    Trouble.TOOK_OVER: Advice(
        "another machine leads: pages, answers and updates go on from there. What was just being sent may have left"
        " twice; the second copy says so. If nobody else stands by, nobody takes over the next time.",
        "see what became of the machine named (`tocsin nodes`, `systemctl status tocsin`, its network) and start it.",
    ),
    Trouble.MACHINE_SILENT: Advice(
        "all that is paged goes on from the machine that leads. This one could not take over.",
        "start its daemon, or see why it does not reach the database. If it is gone for good, nothing is to be done.",
    ),
    Trouble.KEYS_DIFFER: Advice(
        "pages leave, and answers by SMS count. But a link or a button in a message that one machine signed is refused "
        "by another: who was paged may not be able to answer by it once the lead goes over.",
        "give all machines the same web.signing_key in the same order, and restart their daemons and web sides "
        "(`tocsin nodes` shows which differ).",
    ),
    Trouble.PROVIDER_CLOCK: Advice(
        "answers by SMS count, and what is looked up at the provider is found: both allow for the difference. But"
        " if ours is wrong, so are turns, opening hours and the times in messages.",
        "put the clock right that the message names: this machine's, or that of the database's server (`timedatectl`, "
        "`chronyc tracking`). tocsin goes by it within seconds.",
    ),
    Trouble.WORD_LEFT: Advice(
        "nothing depends on it.",
        "what the message says; then bring all of tocsin on this machine to one version.",
    ),
}
