// The console: it uses public routes only. Tokens stay in the memory of this tab.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const byId = (id) => document.getElementById(id);
let tokens = null;
let challenge = null;

class ApiError extends Error {
  constructor(problem) {
    super(problem.errors?.map((one) => `${one.field}: ${one.message}`).join("; ") || problem.detail);
    this.code = problem.code;
  }
}

async function call(method, path, { json, form, retry = true } = {}) {
  const headers = tokens ? { Authorization: `Bearer ${tokens.access_token}` } : {};
  if (json) headers["Content-Type"] = "application/json";
  const body = json ? JSON.stringify(json) : form;
  const response = await fetch(`/v1${path}`, { method, headers, body }).catch(() => {
    throw new Error("Nothing answers at this address. Is the stack running?");
  });
  if (response.ok) return response;
  const problem = await response.json();
  if (problem.code === "token_invalid" && retry && (await refreshTokens())) {
    return call(method, path, { json, form, retry: false });
  }
  throw new ApiError(problem);
}

async function refreshTokens() {
  const json = { refresh_token: tokens.refresh_token };
  tokens = null;
  try {
    tokens = await (await call("POST", "/auth/refresh", { json })).json();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
  return tokens !== null;
}

const SIGNED_OUT = new Set(["token_missing", "token_invalid", "token_revoked", "refresh_invalid", "refresh_reused"]);

/** Run an action with the element's buttons disabled, and show its result or error. */
async function runAction(element, action) {
  const buttons = element.querySelectorAll("button");
  buttons.forEach((button) => (button.disabled = true));
  try {
    showMessage(await action());
  } catch (error) {
    showMessage(error.message, error.code ?? "error");
    if (SIGNED_OUT.has(error.code)) setTokens(null);
  } finally {
    buttons.forEach((button) => (button.disabled = false));
  }
}

function showMessage(text, code = "") {
  byId("message").textContent = code ? `${text} (${code})` : (text ?? "");
  byId("message").className = code ? "error" : "";
}

function setTokens(received) {
  tokens = received;
  byId("signed-out").hidden = Boolean(tokens);
  byId("signed-in").hidden = !tokens;
  byId("verify-code").hidden = true;
  if (tokens) byId("who").textContent = `Hello, ${tokens.user.name}`;
}

async function requestCode(form) {
  const json = Object.fromEntries(new FormData(form));
  const response = await (await call("POST", "/auth/signup", { json })).json();
  challenge = response.challenge;
  byId("inbox").href = `/v1/auth/dev/inbox?to=${encodeURIComponent(json.phone_number)}`;
  byId("verify-code").hidden = false;
  byId("otp").value = "";
  byId("otp").focus();
  return `A code was sent; it lives for ${Math.round(response.expires_in / 60)} minutes.`;
}

async function verifyCode() {
  const json = { phone_number: byId("number").value, otp: byId("otp").value, challenge };
  setTokens(await (await call("POST", "/auth/signup", { json })).json());
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
  byId("day").value = localDate(0);
  await refreshLists();
  const shown = day > localDate(1) ? " It shows here from the day before." : "";
  return `Scheduled for ${day}.${shown}`;
}

async function signOut() {
  await call("POST", "/auth/logout");
  setTokens(null);
  return "Signed out. The token is refused from now on.";
}

async function refreshLists() {
  const [due, sessions] = await Promise.all([
    call("GET", `/media/scheduled?timezone=${encodeURIComponent(zone)}`).then((r) => r.json()),
    call("GET", "/auth/sessions").then((r) => r.json()),
  ]);
  for (const day of ["today", "tomorrow"]) {
    byId(day).replaceChildren(...(await Promise.all(due.scheduled_creatives[day].map(creativeRow))));
  }
  byId("sessions").replaceChildren(...sessions.items.map(sessionRow));
}

async function creativeRow(creative) {
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

function sessionRow(session) {
  const used = new Date(session.last_used_at).toLocaleString();
  const text = `${session.user_agent ?? "Unknown"} · ${session.ip} · ${used}`;
  if (session.current) return row([`${text} · this one`]);
  return row([text], "Sign out", async () => {
    await call("DELETE", `/auth/sessions/${session.id}`);
    await refreshLists();
    return "That device is signed out.";
  });
}

/** Return a list row; strings become text nodes, so that no title is read as markup. */
function row(content, label, action) {
  const line = document.createElement("li");
  line.append(...content.map((one) => (typeof one === "string" ? span(one) : one)));
  if (action) {
    const button = document.createElement("button");
    button.textContent = label;
    button.onclick = () => runAction(line, action);
    line.append(button);
  }
  return line;
}

function span(text) {
  const element = document.createElement("span");
  element.textContent = text;
  return element;
}

function localDate(count) {
  const day = new Date();
  day.setDate(day.getDate() + count);
  return day.toLocaleDateString("sv-SE"); // YYYY-MM-DD, here
}

for (const [id, action] of Object.entries({
  "request-code": requestCode,
  "verify-code": verifyCode,
  upload,
  "sign-out": signOut,
})) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    runAction(event.target, () => action(event.target));
  });
}
byId("day").value = localDate(0);
setTokens(null);
