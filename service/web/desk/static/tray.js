// Keys for reading one by one: J and K go back and forth, B opens the next paper, T opens the form to return this one.
// Everything is a link or a form anyway; without this file nothing is missing.
"use strict";
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "j" || key === "b") document.getElementById("sesudah")?.click();
  if (key === "k") document.getElementById("sebelum")?.click();
  if (key === "t") {
    const fold = document.getElementById("kembalikan");
    if (!fold) return;
    event.preventDefault();
    fold.open = true;
    fold.querySelector("input[type=radio]").focus();
  }
});
