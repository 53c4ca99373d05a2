// Comforts on top of plain links and forms: dialogs, copying, showing a secret, and saying what changed.
"use strict";

const say = (text) => {
  document.getElementById("announce").textContent = text;
};

// --- Copy and show ---------------------------------------------------------------------------------------------------

const textOf = (element) => ("value" in element ? element.value : element.textContent).trim();

const copy = async (button) => {
  const source = document.querySelector(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(textOf(source));
  } catch {
    // Not on a secure origin: select it, so that the keyboard can copy.
    if ("select" in source) source.select();
    else getSelection().selectAllChildren(source);
    say("Selected. Press Ctrl+C to copy.");
    return;
  }
  const label = button.textContent;
  button.textContent = "Copied";
  button.closest("[data-secret]")?.setAttribute("data-kept", "");
  say("Copied.");
  setTimeout(() => (button.textContent = label), 1600);
};

const toggleSecret = (button) => {
  const sheet = button.closest("[data-secret]");
  const isVeiled = sheet.toggleAttribute("data-veiled");
  button.textContent = isVeiled ? "Show" : "Hide";
  button.setAttribute("aria-pressed", String(!isVeiled));
};

// A secret is shown openly without scripts; with them it starts covered. Buttons that need scripts appear.
const prepare = (root) => {
  for (const sheet of root.querySelectorAll("[data-secret]")) sheet.setAttribute("data-veiled", "");
  for (const button of root.querySelectorAll("[data-show], [data-copy]")) button.hidden = false;
};

// --- Dialog ----------------------------------------------------------------------------------------------------------

const dialog = () => document.getElementById("dialog");

const mayLeave = (root) => {
  const secret = root.querySelector("[data-secret]:not([data-kept])");
  return !secret || confirm("The key was not copied, and it cannot be shown again. Close anyway?");
};

const closeDialog = () => {
  if (!mayLeave(dialog())) return;
  const leads = dialog().querySelector("[data-leads]")?.dataset.leads;
  document.getElementById("dialog-body").replaceChildren();
  dialog().close();
  if (leads) location.assign(leads);
};

const openDialog = () => {
  if (!dialog().open) dialog().showModal();
  const first = dialog().querySelector("[data-first]") ?? dialog().querySelector("input:not([type=hidden])");
  first?.focus();
};

// --- Events ----------------------------------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-show], [data-close], [data-done]");
  if (!button) return;
  if (button.dataset.copy) copy(button);
  else if ("show" in button.dataset) toggleSecret(button);
  else if (button.closest("dialog")) {
    event.preventDefault();
    if ("done" in button.dataset) button.closest("dialog").querySelector("[data-secret]")?.setAttribute("data-kept", "");
    closeDialog();
  }
});

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, select, textarea, dialog");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.querySelector("[data-search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

document.addEventListener("DOMContentLoaded", () => {
  prepare(document);
  dialog()?.addEventListener("cancel", (event) => {
    event.preventDefault();
    closeDialog();
  });
});

// htmx puts answers either into the dialog or over #results.
document.addEventListener("htmx:after:swap", () => {
  const body = document.getElementById("dialog-body");
  if (body?.children.length) {
    prepare(body);
    openDialog();
    return;
  }
  prepare(document);
  const said = document.querySelector("#results")?.dataset.said;
  if (said) say(said);
});
