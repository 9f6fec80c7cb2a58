// What HTML and htmx leave to do. Every page works without it.
"use strict";

const now = () => performance.now();
const isTyping = (el) => el.matches("input, select, textarea, [contenteditable]");

// ---- [data-poll="<seconds>"] asks again, through its own hx-trigger="poll", while somebody looks ----

const due = new WeakMap();

// Windows opened together must not ask together.
const later = (el) => now() + el.dataset.poll * 1000 * (0.9 + 0.2 * Math.random());

// [data-poll-near]: what is further than a screen away asks when it comes nearer.
function isNear(el) {
  if (!("pollNear" in el.dataset)) return true;
  const { top, bottom } = el.getBoundingClientRect();
  return bottom > -innerHeight && top < 2 * innerHeight;
}

function poll(atOnce) {
  if (document.hidden) return;
  for (const el of document.querySelectorAll("[data-poll]")) {
    const isNew = !due.has(el);
    if (!isNear(el)) continue;
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

// ---- What had the focus may be disabled for a while, or gone: the focus stays where it was ----

let place = null;

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  const had = document.activeElement;
  // The button of a question hands on to the one that asked it.
  const asker = had.closest("[popover]")?.id;
  if (isPoll(ctx) && (had === document.body || !had.closest("tbody"))) return;
  place = { id: had.id, asker, row: had.closest("tr"), next: had.closest("tr")?.nextElementSibling };
  if (!isPoll(ctx)) had.closest("[popover]")?.hidePopover();
});

document.addEventListener("htmx:after:settle", ({ detail }) => {
  if (!place || document.activeElement !== document.body) return;
  const { id, asker, row, next } = place;
  const inside = (el) => el?.isConnected && el.querySelector?.("a, button, input");
  const again =
    document.getElementById(id) ??
    (asker && document.querySelector(`[popovertarget="${asker}"]`)) ??
    [row, next, ...detail.newContent].map(inside).find(Boolean);
  again?.focus({ preventScroll: true });
});

// ---- What somebody opened stays open while what is around it changes ----

htmx.registerExtension("opened", {
  htmx_before_morph_attr: (el, { attrName, newValue }) =>
    !(attrName === "open" && newValue === null && el.matches("details")),
});

// ---- #panel opens when something new was swapped into it ----

document.addEventListener("htmx:after:settle", () => {
  const fresh = document.querySelector("#panel > [data-fresh]");
  fresh?.removeAttribute("data-fresh");
  fresh?.parentElement.togglePopover(true);
});

// ---- Ticked boxes: how many; [data-check-all="<form>"] ticks all of a form ----

const boxes = (form) => [...form.elements].filter((el) => el.type === "checkbox");

function countTicked() {
  for (const output of document.querySelectorAll("[data-selected]")) {
    const ticked = boxes(output.form).filter((el) => el.checked).length;
    const words = ticked === 1 ? output.dataset.one : output.dataset.many.replace("#", ticked);
    if (output.textContent !== words) output.textContent = words;
    // Its boxes are named "id", which hides the property.
    for (const label of document.querySelectorAll(`[data-check-all="${output.form.getAttribute("id")}"]`)) {
      label.hidden = !boxes(output.form).length;
      label.control.checked = ticked > 0 && ticked === boxes(output.form).length;
      label.control.indeterminate = ticked > 0 && !label.control.checked;
    }
  }
}

document.addEventListener("change", ({ target }) => {
  const form = document.getElementById(target.closest("[data-check-all]")?.dataset.checkAll);
  if (form) for (const el of boxes(form)) el.checked = target.checked;
  countTicked();
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const form = ctx.sourceElement.form;
  if (form?.querySelector("[data-selected]") && ctx.response.status < 400)
    for (const el of boxes(form)) el.checked = false;
  countTicked();
});

countTicked();

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

// ---- A file larger than [data-most] bytes is refused before it is sent ----

document.addEventListener("change", ({ target }) => {
  if (!target.matches("input[type=file][data-most]")) return;
  const isTooLarge = [...target.files].some((file) => file.size > target.dataset.most);
  target.setCustomValidity(isTooLarge ? target.dataset.tooLarge : "");
  target.reportValidity();
});

// ---- Keys: / searches, a adds, unless [data-keys] turned them off in this browser ----

const shortcuts = { "/": "search", a: "add" };

// A browser that keeps nothing has the keys.
function hasKeys(isWanted) {
  try {
    if (isWanted !== undefined) localStorage.setItem("keys", isWanted ? "on" : "off");
    return localStorage.getItem("keys") !== "off";
  } catch {
    return true;
  }
}

for (const tick of document.querySelectorAll("[data-keys]")) {
  tick.checked = hasKeys();
  tick.addEventListener("change", () => (tick.checked = hasKeys(tick.checked)));
  tick.closest("article").hidden = false;
}

// Screen readers tell of a key only where it works; the field may be swapped in anew.
function announceKeys() {
  for (const [key, name] of Object.entries(shortcuts))
    for (const field of document.querySelectorAll(`[data-shortcut="${name}"]`))
      if (hasKeys()) field.setAttribute("aria-keyshortcuts", key);
      else field.removeAttribute("aria-keyshortcuts");
}

window.addEventListener("pageshow", announceKeys);
document.addEventListener("htmx:after:settle", announceKeys);

document.addEventListener("keydown", (event) => {
  const { key, target, ctrlKey, metaKey, altKey } = event;
  if (ctrlKey || metaKey || altKey || isTyping(target) || !shortcuts[key] || !hasKeys()) return;
  const field = document.querySelector(`[data-shortcut="${shortcuts[key]}"]`);
  if (!field) return;
  event.preventDefault();
  field.focus();
});
