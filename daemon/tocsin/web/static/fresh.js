// Keeps a page of something open up to date without throwing its reader back to the top: what stands in <main> is
// replaced when it has changed; what was unfolded stays unfolded, and the keyboard stays where it was. A page that
// cannot be brought up to date says so; one whose reader is no longer signed in leads to where they sign in. Without scripts the page loads itself anew (`again_head` in moments.html.j2).
"use strict";

const WITHIN = 10000;
const FOLDS = "details";
const STOPS = "a, summary, button";

const all = (root, what) => [...root.querySelectorAll(what)];

function show(found) {
  const old = document.querySelector("main");
  const main = document.importNode(found.querySelector("main"), true);
  const unfolded = all(old, FOLDS).map((each) => each.open);
  all(main, FOLDS).forEach((each, place) => { each.open = Boolean(unfolded[place]); });
  if (main.innerHTML === old.innerHTML || String(document.getSelection())) return;
  const stop = all(old, STOPS).indexOf(document.activeElement);
  old.replaceWith(main);
  all(main, STOPS)[stop]?.focus({ preventScroll: true });
  document.title = found.title;
}

async function look() {
  if (document.hidden) return;
  const fresh = document.getElementById("fresh");
  try {
    const address = fresh.dataset.look || location.href;
    const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(WITHIN) });
    if (answer.status === 401 || answer.redirected) {
      location.replace(address);
      return;
    }
    if (!answer.ok) throw new Error(answer.statusText);
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    show(found);
    fresh.replaceWith(document.importNode(found.getElementById("fresh"), true));
  } catch {
    fresh.textContent = `This page could not be brought up to date. It is from ${fresh.dataset.from}.`;
    fresh.classList.add("stale");
  }
}

setInterval(look, Number(document.getElementById("fresh").dataset.again) * 1000);
document.addEventListener("visibilitychange", look);
