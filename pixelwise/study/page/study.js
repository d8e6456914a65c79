// One study: who are you, one pair after the other, thank you. The server knows where a rater stands; this page keeps nothing
// but the name, to suggest it again.

import { admit, answer, describe, loadTrial, OutOfTurn, UnknownRater } from "./server.js";

const NAME = "pixelwise-study-name";
const RETRY_MILLISECONDS = 2000;

const all = (selector) => document.querySelectorAll(selector);
const one = (selector) => document.querySelector(selector);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

let study;
let rater;

function write(name, text) {
  for (const place of all(`.${name}`)) place.textContent = text;
}

function say(text) {
  one("#message").textContent = text;
}

function turnTo(name) {
  for (const section of all("section")) section.hidden = section.id !== name;
  say("");
  one(`#${name} [tabindex]`)?.focus();
}

// What cannot be done now is tried until it can: neither an answer nor a place is lost when a connection is.
async function persistently(act) {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (error instanceof OutOfTurn || error instanceof UnknownRater) throw error;
      say(`${error.message} Trying again …`);
      await pause(RETRY_MILLISECONDS);
    }
  }
}

function welcome() {
  turnTo("welcome");
  one("#name").focus();
}

async function enter(name) {
  rater = await admit(name);
  localStorage.setItem(NAME, rater.name);
  write("name", rater.name);
  write("answered", rater.answered);
  if (rater.answered === 0) await ask(0);
  else if (rater.answered === study.trials) turnTo("thanks");
  else turnTo("returning");
}

async function ask(first) {
  turnTo("trial");
  let coming = first;
  while (coming < study.trials) {
    try {
      coming = await askOne(coming);
    } catch (error) {
      if (!(error instanceof OutOfTurn)) throw error;
      // Answered meanwhile, in another tab or by a request whose reply was lost.
      coming = error.answered;
    }
  }
  turnTo("thanks");
}

async function askOne(number) {
  const pair = one(".pair");
  pair.ariaBusy = "true";
  for (const side of ["left", "right"]) one(`#${side}`).replaceChildren();
  const pictures = await persistently(() => loadTrial(rater.token, number, study.conditions));
  show(number, pictures);
  if (number + 1 < study.trials) loadTrial(rater.token, number + 1, study.conditions).catch(() => {});
  const { choice, milliseconds } = await choose(pair);
  pair.ariaBusy = "true";
  const kept = await persistently(() => answer(rater.token, number, choice, milliseconds));
  return kept.answered;
}

function show(number, { left, right, condition }) {
  one(".pair").classList.remove("vanished");
  one(".hint").hidden = true;
  one("#left").replaceChildren(left);
  one("#right").replaceChildren(right);
  if (condition) one(".condition").replaceChildren(condition);
  one(".condition").hidden = !condition;
  one("progress").max = study.trials;
  one("progress").value = number;
  one(".progress span").textContent = `${number + 1} of ${study.trials}`;
  say("");
  // Neither button, lest its outline should speak for one side.
  one("#trial h1").focus();
}

// Resolves once the rater has chosen. Time is counted from the frame in which both pictures are seen.
function choose(pair) {
  return new Promise((resolve) => {
    requestAnimationFrame(() => {
      const began = performance.now();
      const listening = new AbortController();
      const vanishing = study.seconds ? setTimeout(vanish, study.seconds * 1000) : undefined;
      const settle = (choice) => {
        listening.abort();
        clearTimeout(vanishing);
        resolve({ choice, milliseconds: performance.now() - began });
      };
      const { signal } = listening;
      pair.ariaBusy = "false";
      for (const side of ["left", "right"]) {
        one(`#${side}`).addEventListener("click", () => settle(side), { signal });
      }
      addEventListener("keydown", (event) => pressed(event, settle), { signal });
    });
  });
}

function pressed(event, settle) {
  // A key that is held down answers once.
  if (event.repeat || event.altKey || event.ctrlKey || event.metaKey) return;
  const choice = { ArrowLeft: "left", ArrowRight: "right" }[event.key];
  if (!choice) return;
  event.preventDefault();
  settle(choice);
}

function vanish() {
  one(".pair").classList.add("vanished");
  one(".hint").hidden = false;
}

// What nobody can go on from: the name is asked again.
function recover(error) {
  welcome();
  say(error.message);
}

async function begin() {
  study = await persistently(describe);
  document.title = study.question;
  write("question", study.question);
  write("trials", study.trials);
  write("seconds", study.seconds === 1 ? "1 second" : `${study.seconds} seconds`);
  one(".timed").hidden = !study.seconds;
  one("#name").value = new URLSearchParams(location.search).get("rater") ?? localStorage.getItem(NAME) ?? "";
  one("form").addEventListener("submit", (event) => {
    event.preventDefault();
    enter(one("#name").value).catch(recover);
  });
  one("#go-on").addEventListener("click", () => ask(rater.answered).catch(recover));
  one("#somebody-else").addEventListener("click", () => {
    one("#name").value = "";
    welcome();
  });
  welcome();
}

begin();
