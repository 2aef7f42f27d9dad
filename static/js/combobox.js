/* A text field that suggests codes while one types: an ARIA combobox with a list. Without this
   script the field takes a code as plain text. `data-suggest` is the address that answers,
   `data-with` the field whose value goes along. */
(() => {
  "use strict";
  const WAIT = 150;

  function enhance(input) {
    const list = document.createElement("ul");
    const told = document.createElement("p");
    const companion = document.getElementById(input.dataset.with || "");
    let options = [];
    let active = -1;
    let timer = 0;
    let request = null;

    list.id = `${input.id}_list`;
    list.className = "suggestions";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", input.labels[0].textContent.trim());
    told.className = "sr-only";
    told.setAttribute("role", "status");
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "false");
    input.after(list, told);

    function close() {
      window.clearTimeout(timer);
      if (request) request.abort();
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function mark(place) {
      const items = list.children;
      if (active >= 0) items[active].setAttribute("aria-selected", "false");
      active = (place + items.length) % items.length;
      items[active].setAttribute("aria-selected", "true");
      items[active].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", items[active].id);
    }

    function choose(place) {
      input.value = options[place].code;
      close();
      told.textContent = options[place].name;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }

    function show(answer) {
      options = answer.results;
      active = -1;
      input.removeAttribute("aria-activedescendant");
      list.replaceChildren(
        ...options.map((option, place) => {
          const item = document.createElement("li");
          const code = document.createElement("strong");
          item.id = `${list.id}_${place}`;
          item.setAttribute("role", "option");
          item.setAttribute("aria-selected", "false");
          code.textContent = option.code;
          item.append(code, ` ${option.name}`);
          item.addEventListener("mousedown", (event) => event.preventDefault());
          item.addEventListener("click", () => choose(place));
          return item;
        }),
      );
      list.hidden = options.length === 0;
      input.setAttribute("aria-expanded", String(options.length > 0));
      told.textContent = answer.told;
    }

    async function ask() {
      if (request) request.abort();
      if (!input.value.trim() && !(companion && companion.value.trim())) {
        close();
        return;
      }
      request = new AbortController();
      const query = new URLSearchParams({ q: input.value });
      if (companion) query.set("with", companion.value);
      try {
        const answer = await fetch(`${input.dataset.suggest}?${query}`, {
          signal: request.signal,
          headers: { Accept: "application/json" },
        });
        if (answer.ok && document.activeElement === input) show(await answer.json());
      } catch (error) {
        if (error.name !== "AbortError") close();
      }
    }

    input.addEventListener("input", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(ask, WAIT);
    });
    input.addEventListener("focus", () => {
      if (!input.value) ask();
    });
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      const open = !list.hidden;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (!open) ask();
        else mark(event.key === "ArrowDown" ? active + 1 : Math.max(active, 0) - 1);
      } else if (event.key === "Enter" && open && active >= 0) {
        event.preventDefault();
        choose(active);
      } else if (event.key === "Escape" && open) {
        event.preventDefault();
        close();
      }
    });
    // Who began to type before the script was there gets suggestions too.
    if (document.activeElement === input && input.value) ask();
  }

  document.querySelectorAll("[data-suggest]").forEach(enhance);
})();
