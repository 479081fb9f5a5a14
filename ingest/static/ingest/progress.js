// Keeps the page of a bulk job up to date while the job is at work, and opens it anew at its end.
"use strict";

const AGAIN_MILLISECONDS = 1500;
const area = document.getElementById("progress");

async function look() {
  try {
    const answer = await fetch(area.dataset.progress, { redirect: "error" });
    if (answer.ok) {
      area.innerHTML = await answer.text();
      if (answer.headers.get("Forge-Finished")) {
        window.location.replace(window.location.pathname);
        return;
      }
    }
  } catch (error) {
    // The site may be back in a moment; until then the page shows what it knew.
  }
  setTimeout(look, AGAIN_MILLISECONDS);
}

setTimeout(look, AGAIN_MILLISECONDS);
