// Keys on the case page, off until switched on (WCAG 2.1.4): J next, K previous, P to the decision, B return. Everything works without them.
"use strict";
(() => {
  const box = document.getElementById("pintasan");
  if (!box) return;
  const NAME = "teken-pintasan";
  box.closest("[hidden]").hidden = false;
  box.checked = localStorage.getItem(NAME) === "1";
  box.addEventListener("change", () => localStorage.setItem(NAME, box.checked ? "1" : "0"));
  document.addEventListener("keydown", (event) => {
    if (!box.checked || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target !== box) return;
    const target = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!target) return;
    event.preventDefault();
    if (target.tagName === "A") target.click();
    else target.focus();
  });
})();
