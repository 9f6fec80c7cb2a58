// Asks the browser for a passkey. Without this script a password or a mailed code is the way in.
"use strict";

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const canAsk = Boolean(window.PublicKeyCredential && navigator.credentials);
let waiting = new AbortController();

function optionsOf(form) {
  const options = JSON.parse(form.dataset.passkey);
  options.challenge = bytes(options.challenge);
  if (options.user) options.user.id = bytes(options.user.id);
  for (const name of ["allowCredentials", "excludeCredentials"])
    options[name] = options[name]?.map((one) => ({ ...one, id: bytes(one.id) }));
  return options;
}

// Spelled out: not every password manager's credential knows toJSON().
function written({ id, rawId, type, response }) {
  const names = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const parts = names.filter((name) => response[name]).map((name) => [name, text(response[name])]);
  return JSON.stringify({ id, rawId: text(rawId), type, response: Object.fromEntries(parts) });
}

// mediation "conditional": the browser offers it in the address field, and waits.
async function ask(form, mediation) {
  waiting.abort();
  waiting = new AbortController();
  const { signal } = waiting;
  const publicKey = optionsOf(form);
  const refused = form.querySelector("[data-refused]");
  refused.hidden = true;
  try {
    const credential = publicKey.user
      ? await navigator.credentials.create({ publicKey, signal })
      : await navigator.credentials.get({ publicKey, signal, mediation });
    form.elements.credential.value = written(credential);
    form.submit();
  } catch (error) {
    if (mediation || signal.aborted) return;
    refused.hidden = false;
    refused.focus();
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-passkey]")) return;
  event.preventDefault();
  ask(form);
});

async function reveal() {
  if (!canAsk) return;
  for (const el of document.querySelectorAll("[data-needs-passkeys]")) el.hidden = false;
  const form = document.querySelector("[data-autofill]:not([data-offered])");
  if (!form || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  form.dataset.offered = "";
  ask(form, "conditional");
}

document.addEventListener("DOMContentLoaded", reveal);
document.addEventListener("htmx:after:settle", reveal);
