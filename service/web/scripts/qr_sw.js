"use strict";
/* Keeps the page that reads a QR without the server, with keys and lists; answers with it when the server does not. */
const BASE = location.pathname.replace(/\/qr\/sw\.js$/, "");
const KEPT = [`${BASE}/qr/verify.js`, `${BASE}/qr/offline.json`];
const [, KNOWN] = KEPT;
const PATIENCE = 8000;
const kept = () => caches.open("teken-qr-1");

addEventListener("install", (event) => {
  event.waitUntil(kept().then((cache) => cache.addAll(KEPT)).then(() => skipWaiting()));
});
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (origin !== location.origin || event.request.method !== "GET") return;
  if (KEPT.includes(pathname)) event.respondWith(fresh(pathname));
  else if (event.request.mode === "navigate" && /^\/v\/[^/]/i.test(pathname.slice(BASE.length))) {
    event.respondWith(answered(event.request));
    event.waitUntil(fresh(KNOWN).catch(() => {}));
  }
});

async function fresh(path) {
  const cache = await kept();
  try {
    const answer = await fetch(path, { signal: AbortSignal.timeout(PATIENCE) });
    if (answer.ok) await cache.put(path, answer.clone());
    return answer.ok ? answer : (await cache.match(path)) ?? answer;
  } catch (error) {
    return (await cache.match(path)) ?? Promise.reject(error);
  }
}

async function answered(request) {
  const late = new Promise((_, give) => setTimeout(give, PATIENCE, new Error("late")));
  try {
    const answer = await Promise.race([fetch(request), late]);
    return answer.status >= 500 ? (await shell()) ?? answer : answer;
  } catch (error) {
    return (await shell()) ?? Promise.reject(error);
  }
}

async function shell() {
  const known = await (await kept()).match(KNOWN);
  if (!known) return undefined;
  const { shell: page, policy } = await known.json();
  const headers = { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy, "Referrer-Policy": "no-referrer" };
  return new Response(page, { headers });
}
