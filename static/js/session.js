/* The session's clock: warns before the session ends, prolongs it while the person types, and keeps
   on the server what stands in forms that do not save themselves. Nothing is kept in the browser. */
"use strict";

(() => {
  const dialog = document.getElementById("session-warning");
  if (!dialog) return;

  const { statusUrl, keepUrl, keptUrl, forgetUrl, loginUrl } = dialog.dataset;
  const warningSeconds = Number(dialog.dataset.warningSeconds);
  const time = document.getElementById("session-warning-time");
  const said = document.getElementById("session-warning-said");
  const token = dialog.querySelector("[name=csrfmiddlewaretoken]").value;
  const KEEP_AFTER_MS = 1500;
  const KEEP_EVERY_MS = 30000;

  let endsAt = Date.now() + Number(dialog.dataset.secondsLeft) * 1000;
  let personActive = false;
  let lastKept = 0;
  let leaving = false;
  let asking = false;
  // Counts what prolongs the session: an answer to a question from before that is out of date.
  let prolonged = 0;
  const waiting = new Map();

  const secondsLeft = () => Math.ceil((endsAt - Date.now()) / 1000);

  const setClock = (seconds) => {
    endsAt = Date.now() + seconds * 1000;
    if (seconds > warningSeconds && dialog.open) dialog.close();
  };

  /* Forms that a person fills in and sends; a form that saves itself has an hx-post of its own. */
  const keeps = (form) =>
    form.method === "post" && !form.hasAttribute("hx-post") && !dialog.contains(form) &&
    !form.querySelector("[type=password]") && !form.closest("[data-not-kept]");
  const forms = () => [...document.forms].filter((form) => keeps(form) && fieldsOf(form).length);
  const actionOf = (form) => new URL(form.getAttribute("action") || location.href, location.href).pathname;
  const fieldsOf = (form) =>
    [...form.elements].filter((field) => field.name && field.name !== "csrfmiddlewaretoken" &&
      !["hidden", "file", "password", "submit", "button", "fieldset"].includes(field.type));

  const valueOf = (field) => {
    if (field.type === "checkbox") return field.checked ? "on" : "";
    return field.value;
  };

  const post = (url, values, options = {}) =>
    fetch(url, {
      method: "POST",
      headers: { "X-CSRFToken": token },
      body: new URLSearchParams(values),
      credentials: "same-origin",
      ...options,
    });

  const keep = async (form, options = {}) => {
    const values = {};
    if (form) {
      clearTimeout(waiting.get(form));
      waiting.delete(form);
      for (const field of fieldsOf(form)) {
        if (field.type === "radio" && !field.checked) continue;
        values[field.name] = valueOf(field);
      }
      values.action = actionOf(form);
    }
    lastKept = Date.now();
    prolonged += 1;
    try {
      const answer = await post(keepUrl, values, options);
      if (answer.status === 401) return leave();
      if (answer.ok) setClock((await answer.json()).seconds_left);
    } catch { /* no connection: the clock goes on */ }
  };

  const keepSoon = (form) => {
    clearTimeout(waiting.get(form));
    waiting.set(form, setTimeout(() => keep(form), KEEP_AFTER_MS));
  };

  const leave = () => {
    if (leaving) return;
    leaving = true;
    location.assign(`${loginUrl}?ended=1&next=${encodeURIComponent(location.pathname + location.search)}`);
  };

  /* Another tab may have prolonged the session, so the server is asked before anything is shown. */
  const ask = async () => {
    if (asking) return;
    asking = true;
    const before = prolonged;
    try {
      const answer = await fetch(statusUrl, { credentials: "same-origin" });
      const seconds = answer.ok ? (await answer.json()).seconds_left : null;
      if (seconds !== null && before === prolonged) setClock(seconds);
    } catch { /* no connection */ } finally {
      asking = false;
    }
  };

  const show = (seconds) => {
    const minutes = Math.ceil(seconds / 60);
    time.textContent = seconds > 60 ? time.dataset.minutes.replace("%", minutes)
      : time.dataset.seconds.replace("%", Math.max(0, seconds));
    if (seconds === 60 || seconds === 30 || seconds === 10) said.textContent = time.textContent;
  };

  const tick = async () => {
    if (leaving) return;
    if (secondsLeft() <= warningSeconds && !dialog.open) {
      await ask();
      if (secondsLeft() <= warningSeconds && !dialog.open) dialog.showModal();
    }
    if (secondsLeft() <= 0) {
      await ask();
      if (secondsLeft() <= 0) return leave();
    }
    if (dialog.open) show(secondsLeft());
  };

  const restore = (form, values) => {
    const changed = [];
    for (const field of fieldsOf(form)) {
      if (!(field.name in values)) continue;
      if (field.type === "radio") {
        if (field.value === values[field.name] && !field.checked) changed.push(field), (field.checked = true);
      } else if (field.type === "checkbox") {
        if (field.checked !== (values[field.name] === "on")) changed.push(field), (field.checked = !field.checked);
      } else if (field.value !== values[field.name]) {
        if (field.tagName !== "SELECT" && field.value !== field.defaultValue) continue;
        field.value = values[field.name];
        changed.push(field);
      }
    }
    if (changed.length) tell(form);
  };

  const tell = (form) => {
    const note = document.getElementById("session-restored").content.cloneNode(true).firstElementChild;
    note.querySelector("button").addEventListener("click", async () => {
      clearTimeout(waiting.get(form));
      await post(forgetUrl, { action: actionOf(form) });
      form.reset();
      note.remove();
    });
    form.prepend(note);
  };

  const restoreAll = async () => {
    const found = forms();
    if (!found.length) return;
    const query = new URLSearchParams(found.map((form) => ["action", actionOf(form)]));
    const answer = await fetch(`${keptUrl}?${query}`, { credentials: "same-origin" });
    if (!answer.ok) return;
    const kept = (await answer.json()).forms;
    for (const form of found) if (kept[actionOf(form)]) restore(form, kept[actionOf(form)]);
  };

  for (const name of ["keydown", "pointerdown", "input"]) {
    document.addEventListener(name, (event) => { if (event.isTrusted) personActive = true; }, true);
  }
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!event.isTrusted || !form || dialog.contains(form)) return;
    if (keeps(form)) keepSoon(form);
    else if (Date.now() - lastKept > KEEP_EVERY_MS) keep(null);
  });
  document.addEventListener("submit", (event) => {
    clearTimeout(waiting.get(event.target));
    waiting.delete(event.target);
  });
  /* A part of the page that is fetched by itself is no sign of the person. */
  document.addEventListener("htmx:configRequest", (event) => {
    if (personActive) event.detail.headers["X-Person-Active"] = "1";
    personActive = false;
  });
  document.addEventListener("htmx:afterRequest", ask);
  window.addEventListener("pagehide", () => {
    for (const form of waiting.keys()) keep(form, { keepalive: true });
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask().then(tick); });
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    keep(null);
    dialog.close();
  });
  dialog.addEventListener("cancel", () => keep(null));

  restoreAll();
  setInterval(tick, 1000);
})();
