"use strict";
// New messages appear at the top without a reload. The page works without this: it then looks again by itself.
(() => {
  const list = document.getElementById("messages");
  const live = document.getElementById("live");
  let looking = false;
  let again = false;

  const say = (text) => { live.textContent = text; };

  const look = async () => {
    if (looking) { again = true; return; }
    looking = true;
    try {
      do {
        again = false;
        const answer = await fetch(location.href, { cache: "no-store" });
        if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } while (again);
    } catch {
      say("Not connected; trying again.");
    } finally {
      looking = false;
    }
  };

  const take = (page) => {
    const fresh = page.getElementById("messages");
    const known = new Set(Array.from(list.children, (each) => each.id));
    const added = Array.from(fresh.children).filter((each) => !known.has(each.id));
    for (const each of added.reverse()) {
      each.classList.add("arrived");
      list.prepend(document.adoptNode(each));
    }
    list.dataset.mark = fresh.dataset.mark;
    if (list.children.length) document.getElementById("empty")?.remove();
    if (added.length) say(added.length === 1 ? "1 new message." : `${added.length} new messages.`);
  };

  let waits = null;
  const events = new EventSource("/inbox/events");
  events.onopen = () => { say("Live: new messages appear by themselves."); clearInterval(waits); waits = null; };
  events.onmessage = (event) => { if (event.data !== list.dataset.mark) look(); };
  events.onerror = () => {
    say("Not connected; trying again.");
    if (events.readyState === EventSource.CLOSED && waits === null) waits = setInterval(look, 3000);
  };
})();
