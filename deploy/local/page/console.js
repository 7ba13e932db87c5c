// The console: the public routes and nothing else. Tokens live in this tab's memory alone.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const at = (id) => document.getElementById(id);
let tokens = null;
let challenge = null;
let ticket = null;

class Refusal extends Error {
  constructor(problem) {
    super(problem.errors?.map((one) => `${one.field}: ${one.message}`).join("; ") || problem.detail);
    this.code = problem.code;
  }
}

async function call(method, path, { json, form, again = true } = {}) {
  const headers = tokens ? { Authorization: `Bearer ${tokens.access_token}` } : {};
  if (json) headers["Content-Type"] = "application/json";
  const body = json ? JSON.stringify(json) : form;
  const response = await fetch(`/v1${path}`, { method, headers, body }).catch(() => {
    throw new Error("Nothing answers at this address. Is the stack running?");
  });
  if (response.ok) return response;
  const problem = await response.json();
  if (problem.code === "token_invalid" && again && (await refreshed())) {
    return call(method, path, { json, form, again: false });
  }
  throw new Refusal(problem);
}

async function refreshed() {
  const json = { refresh_token: tokens.refresh_token };
  tokens = null;
  try {
    tokens = await (await call("POST", "/auth/refresh", { json })).json();
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
  }
  return tokens !== null;
}

const SIGNED_OUT = new Set(["token_missing", "token_invalid", "token_revoked", "refresh_invalid", "refresh_reused"]);

/** Do what a form or button asks, with it switched off meanwhile, and say how it went. */
async function attempt(element, work) {
  const buttons = element.querySelectorAll("button");
  buttons.forEach((button) => (button.disabled = true));
  try {
    say(await work());
  } catch (refusal) {
    say(refusal.message, refusal.code ?? "error");
    if (SIGNED_OUT.has(refusal.code)) show(null);
  } finally {
    buttons.forEach((button) => (button.disabled = false));
  }
}

function say(text, code = "") {
  at("told").textContent = code ? `${text} (${code})` : (text ?? "");
  at("told").className = code ? "refused" : "";
}

function show(signedIn) {
  tokens = signedIn;
  at("signed-out").hidden = Boolean(tokens);
  at("signed-in").hidden = !tokens;
  at("prove").hidden = true;
  if (tokens) at("who").textContent = `Hello, ${tokens.user.name}`;
}

async function ask(form) {
  const json = Object.fromEntries(new FormData(form));
  const sent = await (await call("POST", "/auth/signup", { json })).json();
  challenge = sent.challenge;
  at("inbox").href = `/v1/auth/dev/inbox?to=${encodeURIComponent(json.phone_number)}`;
  at("prove").hidden = false;
  at("otp").value = "";
  at("otp").focus();
  return `A code was sent; it lives for ${Math.round(sent.expires_in / 60)} minutes.`;
}

async function prove() {
  const json = { phone_number: at("number").value, otp: at("otp").value, challenge };
  show(await (await call("POST", "/auth/signup", { json })).json());
  await refreshLists();
  return "Signed in.";
}

async function upload(form) {
  const body = new FormData(form);
  body.set("timezone", zone);
  if (!body.get("title")) body.delete("title");
  await call("POST", "/media/creatives", { form: body });
  const day = body.get("scheduled_at");
  form.reset();
  at("day").value = inDays(0);
  await refreshLists();
  const shown = day > inDays(1) ? " It shows here from the day before." : "";
  return `Scheduled for ${day}.${shown}`;
}

async function leave() {
  await call("POST", "/auth/logout");
  show(null);
  return "Signed out. The token is refused from now on.";
}

/** Take the ticket out of a mailed link, and the link out of the address bar; nothing is spent by it. */
function takeTicket() {
  const given = new URLSearchParams(location.hash.slice(1)).get("reset_ticket");
  if (!given) return;
  history.replaceState(null, "", location.pathname);
  ticket = given;
  at("resetting").hidden = false;
  at("new-password").focus();
}

async function reset(form) {
  const json = { reset_ticket: ticket, new_password: at("new-password").value };
  const done = await (await call("POST", "/auth/reset-password", { json })).json();
  ticket = null;
  form.reset();
  at("resetting").hidden = true;
  show(null);
  return done.message;
}

async function refreshLists() {
  const [due, sessions] = await Promise.all([
    call("GET", `/media/scheduled?timezone=${encodeURIComponent(zone)}`).then((r) => r.json()),
    call("GET", "/auth/sessions").then((r) => r.json()),
  ]);
  for (const day of ["today", "tomorrow"]) {
    at(day).replaceChildren(...(await Promise.all(due.scheduled_creatives[day].map(picture))));
  }
  at("sessions").replaceChildren(...sessions.items.map(device));
}

async function picture(creative) {
  const image = document.createElement("img");
  const bytes = await (await call("GET", `/media/creatives/${creative.id}/file`)).blob();
  image.src = URL.createObjectURL(bytes);
  image.alt = creative.title ?? "Untitled";
  image.onload = () => URL.revokeObjectURL(image.src);
  return row([image, image.alt], "Delete", async () => {
    await call("DELETE", `/media/creatives/${creative.id}`);
    await refreshLists();
    return "Deleted.";
  });
}

function device(session) {
  const used = new Date(session.last_used_at).toLocaleString();
  const text = `${session.user_agent ?? "Unknown"} · ${session.ip} · ${used}`;
  if (session.current) return row([`${text} · this one`]);
  return row([text], "Sign out", async () => {
    await call("DELETE", `/auth/sessions/${session.id}`);
    await refreshLists();
    return "That device is signed out.";
  });
}

/** A line of a list; texts go in as text, so that no title is ever read as markup. */
function row(content, label, work) {
  const line = document.createElement("li");
  line.append(...content.map((one) => (typeof one === "string" ? span(one) : one)));
  if (work) {
    const button = document.createElement("button");
    button.textContent = label;
    button.onclick = () => attempt(line, work);
    line.append(button);
  }
  return line;
}

function span(text) {
  const element = document.createElement("span");
  element.textContent = text;
  return element;
}

function inDays(count) {
  const day = new Date();
  day.setDate(day.getDate() + count);
  return day.toLocaleDateString("sv-SE"); // YYYY-MM-DD, here
}

for (const [id, work] of Object.entries({ ask, prove, reset, upload, leave })) {
  at(id).addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(event.target, () => work(event.target));
  });
}
at("day").value = inDays(0);
show(null);
takeTicket();
addEventListener("hashchange", takeTicket);
