// What HTML and htmx leave to do. Every page works without it.
"use strict";

const now = () => performance.now();
const isTyping = (el) => el.matches("input, select, textarea, [contenteditable]");

// ---- [data-poll="<seconds>"] asks again, through its own hx-trigger="poll", while somebody looks ----

const due = new WeakMap();

// Windows opened together must not ask together.
const later = (el) => now() + el.dataset.poll * 1000 * (0.9 + 0.2 * Math.random());

function poll(atOnce) {
  if (document.hidden) return;
  for (const el of document.querySelectorAll("[data-poll]")) {
    const isNew = !due.has(el);
    if (!atOnce && (isNew || due.get(el) > now())) {
      if (isNew) due.set(el, later(el));
      continue;
    }
    due.set(el, later(el));
    htmx.trigger(el, "poll");
  }
}

setInterval(poll, 500, false);
document.addEventListener("visibilitychange", () => poll(true));

// ---- [data-until="<instant>"] says how much time is left; at the end, its page looks again ----

function countDown() {
  for (const el of document.querySelectorAll("[data-until]")) {
    const minutes = Math.ceil((Date.parse(el.dataset.until) - Date.now()) / 60_000);
    const left = Math.max(minutes, 0);
    const words = `${Math.floor(left / 60)} h ${String(left % 60).padStart(2, "0")} min`;
    if (el.textContent === words) continue;
    el.textContent = words;
    const asking = minutes <= 0 && el.closest("[data-poll]");
    if (asking) htmx.trigger(asking, "poll");
  }
}

setInterval(countDown, 1000);

// ---- After a swap, the first field to mend has the focus ----

document.addEventListener("htmx:after:settle", ({ detail }) => {
  const wanted = detail.newContent
    .flatMap((el) => (el.querySelectorAll ? [el, ...el.querySelectorAll("*")] : []))
    .filter((el) => el.matches('[autofocus], [aria-invalid="true"]'));
  const first = wanted.find((el) => el.matches('[aria-invalid="true"]')) ?? wanted[0];
  // htmx looks for [autofocus] right after this event: the field to mend comes before that.
  if (first) queueMicrotask(() => first.focus());
});

// ---- A pressed button is disabled while its request is under way, which takes the focus away ----

let pressed = "";

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (!isPoll(ctx)) pressed = document.activeElement?.id ?? "";
});

document.addEventListener("htmx:after:settle", () => {
  if (document.activeElement !== document.body || !pressed) return;
  document.getElementById(pressed)?.focus();
});

// ---- An answer that never came, or a 5xx, is said where the other messages are ----

const isPoll = (ctx) => ctx?.sourceElement?.matches?.("[data-poll]");

function sayUnanswered({ detail: { ctx } }) {
  const words = document.getElementById("unanswered");
  const isSwapped = ctx?.response && ctx.response.status < 500;
  if (!words || isPoll(ctx) || isSwapped) return;
  document.getElementById("flash").replaceChildren(words.content.cloneNode(true));
}

// What was said belongs to the step before.
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (!isPoll(ctx)) document.getElementById("flash")?.replaceChildren();
});

document.addEventListener("htmx:error", sayUnanswered);
document.addEventListener("htmx:response:error", sayUnanswered);

// ---- [data-copy="#id"] copies that element's value or text, and says so ----

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  const source = document.querySelector(button.dataset.copy);
  await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
  if (button.dataset.copied) button.querySelector("span").textContent = button.dataset.copied;
});

// ---- Keys: / searches, a adds ----

const shortcuts = { "/": "search", a: "add" };

document.addEventListener("keydown", (event) => {
  const { key, target, ctrlKey, metaKey, altKey } = event;
  if (ctrlKey || metaKey || altKey || isTyping(target)) return;
  const field = shortcuts[key] && document.querySelector(`[data-shortcut="${shortcuts[key]}"]`);
  if (!field) return;
  event.preventDefault();
  field.focus();
});
