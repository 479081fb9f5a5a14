// Reads a schedule's expression back while it is typed: in words, and with its next three times.
"use strict";

const TYPING_MILLISECONDS = 300;
const reading = document.getElementById("schedule-reading");
const cron = document.getElementById("id_cron");
const zone = document.getElementById("id_time_zone");
let waiting, asked;

async function readBack() {
  if (asked) asked.abort();
  asked = new AbortController();
  const question = new URLSearchParams({ cron: cron.value, time_zone: zone.value });
  try {
    const answer = await fetch(`${reading.dataset.address}?${question}`, { redirect: "error", signal: asked.signal });
    if (!answer.ok) return;
    const { lines } = await answer.json();
    reading.replaceChildren(
      ...lines.map((line) => Object.assign(document.createElement("div"), { textContent: line })),
    );
  } catch (error) {
    // Typed on meanwhile, or the site is away: saving says what is wrong, too.
  }
}

function typed() {
  clearTimeout(waiting);
  waiting = setTimeout(readBack, TYPING_MILLISECONDS);
}

if (reading && cron && zone) {
  cron.addEventListener("input", typed);
  zone.addEventListener("input", typed);
  if (cron.value) readBack();
}
