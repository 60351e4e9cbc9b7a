"use strict";
/* Reads the signed data behind the # of a QR (docs/QR.md): beside the server's answer it warns if they differ, and where
   there is no answer it says what can be known. Whatever is not exactly right shows nothing. */
(() => {
  const page = document.currentScript.dataset, base = page.base;
  const bytes = (text) => new TextEncoder().encode(text);
  const joined = (...parts) => new Uint8Array(parts.flatMap((part) => [...part]));
  const hex = (found) => [...found].map((one) => one.toString(16).padStart(2, "0")).join("");
  const day = (days) => new Date(days * 864e5).toISOString().slice(0, 10);
  const fail = () => { throw new Error("qr"); };

  function fromBase32(text) {
    if (text.length > 400 || !/^[A-Z2-7]+$/.test(text)) fail();
    const out = [];
    let value = 0, bits = 0;
    for (const letter of text) {
      value = (value << 5) | "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter);
      if ((bits += 5) > 7) out.push((value >> (bits -= 8)) & 255);
      value &= (1 << bits) - 1;
    }
    return value || bits > 4 ? fail() : new Uint8Array(out);
  }
  const fromBase64 = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));

  /* An array of unsigned integers, texts and byte strings in CBOR's one canonical spelling (RFC 8949, 4.2.1). */
  function members(raw) {
    let at = 0;
    function head() {
      const first = raw[at++], long = first & 31, size = long < 24 ? 0 : 1 << (long - 24);
      if (first === undefined || long > 26 || at + size > raw.length) fail();
      let value = size ? 0 : long;
      for (let end = at + size; at < end; at++) value = value * 256 + raw[at];
      if (size && value < [0, 24, 256, 0, 65536][size]) fail();
      return [first >> 5, value];
    }
    const [kind, count] = head();
    if (kind !== 4 || count > 16) fail();
    const found = Array.from({ length: count }, () => {
      const [major, value] = head();
      if (major === 0) return value;
      const part = raw.slice(at, (at += value));
      if (at > raw.length || (major !== 2 && major !== 3)) fail();
      return major === 2 ? part : new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(part);
    });
    return at === raw.length ? found : fail();
  }

  function codeOf(path) {
    const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const code = decodeURIComponent(path.replace(/\/+$/, "").split("/").pop()).replace(/[- ]/g, "").toUpperCase()
      .replace(/[IL]/g, "1").replace(/O/g, "0");
    let bits = "";
    for (const one of code) bits += (alphabet.includes(one) ? alphabet.indexOf(one) : fail()).toString(2).padStart(5, "0");
    return bits.length === 80 ? Uint8Array.from(bits.match(/.{8}/g), (one) => parseInt(one, 2)) : fail();
  }

  async function proven(known, office, kid, signature, message) {
    const key = known.keys.find((one) => one.office === office && one.kid === hex(kid) && one.state !== "compromised");
    if (!key || signature.length !== 64) fail();
    const curve = { name: "ECDSA", namedCurve: "P-256" };
    const opened = await crypto.subtle.importKey("jwk", { kty: "EC", crv: "P-256", x: key.x, y: key.y }, curve, false, ["verify"]);
    return (await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, opened, signature, message)) || fail();
  }

  async function payload(known, code, fragment) {
    const whole = fromBase32(fragment), body = whole.slice(0, -64);
    const said = members(body), [version, office, kid, kind, number, holder, from, to] = said;
    const shape = said.map((one) => (typeof one === "object" ? "b" : typeof one === "number" ? "n" : "t")).join("");
    const clean = [office, kind, number, holder].every((one) => one && !/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(one));
    if (shape !== "ntbtttnn" || version !== 1 || kid.length !== 4 || from > to || to > 65535 || !clean) fail();
    await proven(known, office, kid, whole.slice(-64), joined(bytes("teken/qr/1\n"), code, body));
    return { office, kind, number, holder, from: day(from), to: day(to) };
  }

  /* What the office's signed list says of this code; nothing, if there is no list that proves itself. */
  async function listed(known, office, code) {
    try {
      const one = known.lists.find((list) => list.office === office), body = fromBase64(one.list);
      const [version, whose, kid, issued, , ...ids] = members(body);
      if (version !== 1 || whose !== office || ids.length !== 4) fail();
      await proven(known, office, kid, fromBase64(one.signature), joined(bytes("teken/qr-list/1\n"), body));
      const hash = await crypto.subtle.digest("SHA-256", joined(bytes("teken/qr-id/1\n"), code));
      const mine = hex(new Uint8Array(hash).slice(0, 8));
      const holds = (found) => hex(found).match(/.{16}/g)?.includes(mine);
      return { issued: issued * 1000, state: ["revoked", "suspended", "replaced", "burned"].find((_, at) => holds(ids[at])) };
    } catch {
      return null;
    }
  }

  function element(name, text, parent, style) {
    const made = document.createElement(name);
    made.textContent = text;
    if (style) made.className = style;
    parent?.append(made);
    return made;
  }

  function panel(tone, words, more = []) {
    const made = element("section", "", null, `panel ${tone}`);
    made.setAttribute("role", "alert");
    const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    icon.setAttribute("viewBox", "0 0 24 24");
    icon.setAttribute("aria-hidden", "true");
    const line = icon.appendChild(document.createElementNS(icon.namespaceURI, "path"));
    line.setAttribute("d", tone === "bad" ? "M6 6 18 18M18 6 6 18" : "M8 8.5a4 4 0 1 1 6 3.5c-1.4.8-2 1.5-2 3M12 19.5v.01");
    made.append(icon);
    element("h1", words.word, made);
    const told = element("div", "", made);
    element("p", words.text, told);
    for (const one of more) element("p", one, told, "checked");
    return made;
  }

  function age(list, words, lang, timeZone) {
    if (!list) return words.no_list;
    const hours = Math.max(0, Math.floor((Date.now() - list.issued) / 36e5)), days = Math.floor(hours / 24);
    const ago = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
    const when = new Date(list.issued).toLocaleString(lang, { dateStyle: "long", timeStyle: "short", timeZone });
    return words.list.replace("$when", when).replace("$ago", days ? ago.format(-days, "day") : ago.format(-hours, "hour"));
  }

  function facts(said, office, words, lang) {
    const date = (one) => new Date(one).toLocaleDateString(lang, { dateStyle: "long", timeZone: "UTC" });
    const [name, profession] = office.types[said.kind] ?? [said.kind, ""];
    const made = element("dl", "", null, "facts");
    const span = `${date(said.from)} – ${date(said.to)}`;
    for (const [label, value] of [["number", said.number], ["holder", said.holder], ["profession", profession], ["validity", span],
      ["type", name], ["issuer", office.name]]) {
      if (!value) continue;
      const row = element("div", "", made, "wide");
      element("dt", words[label], row);
      element("dd", value, row, label === "number" || label === "holder" ? "key" : "");
    }
    return made;
  }

  async function offline(known, words, lang, fragment) {
    if (!fragment) return [panel("wait", words.unreachable)];
    const code = codeOf(location.pathname), said = await payload(known, code, fragment);
    const office = known.offices[said.office] ?? fail(), list = await listed(known, said.office, code);
    const old = age(list, words, lang, office.timezone);
    if (list?.state === "burned") return [panel("bad", words.burned, [old])];
    const today = new Date().toLocaleDateString("en-CA", { timeZone: office.timezone });
    const tone = list?.state ? "bad" : said.to < today ? "past" : "wait";
    const word = list?.state ?? (said.to < today ? "expired" : said.from > today ? "not_yet" : "matches");
    const note = element("section", "", null, "note");
    element("h2", words.compare, note);
    element("p", words.compare_text, note);
    return [panel(tone, words[word], [old]), facts(said, office, words, lang), note];
  }

  async function beside(known, words, fragment) {
    const said = await payload(known, codeOf(location.pathname), fragment);
    const hidden = said.holder.includes("***");
    const same = ["office", "number", "from", "to", ...(hidden ? [] : ["holder"])].every((name) => !page[name] || page[name] === said[name]);
    return same ? null : panel("bad", words.differs);
  }

  async function main() {
    const fragment = location.hash.slice(1), alone = page.state === "undetermined" || page.state === "offline";
    const scope = location.pathname.slice(0, base.length + 3);
    navigator.serviceWorker?.register(`${base}/qr/sw.js`, { scope }).catch(() => {});
    addEventListener("hashchange", () => location.reload());
    if (!globalThis.crypto?.subtle || (!fragment && !alone)) return;
    const answer = await fetch(`${base}/qr/offline.json`);
    if (!answer.ok) return;
    const known = await answer.json(), lang = page.state === "offline" && /[?&]lang=en\b/.test(location.search) ? "en" : document.documentElement.lang;
    const words = known.words[lang], place = document.querySelector("main");
    place.lang = lang;
    const wrong = () => panel("bad", words.wrong);
    if (alone) {
      const shown = await offline(known, words, lang, fragment).catch(() => [wrong()]);
      if (page.state === "offline" || fragment) place.replaceChildren(...shown);
      if (page.state === "offline") document.querySelector(".office > a")?.remove(); // it would lose what stands behind the #
    } else if (page.number) {
      const warning = await beside(known, words, fragment).catch(wrong);
      if (warning) place.prepend(warning);
    }
    document.title = place.querySelector("h1").textContent;
  }

  main().catch(() => {});
})();
