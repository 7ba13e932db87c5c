// What React Native lacks is taken away: streams, `crypto`, `URL`, base64, most of `AbortSignal`.
// What it has besides is put in: an XMLHttpRequest, and a FormData that takes files of the device.

import assert from "node:assert/strict";
import { test } from "node:test";

const ABSENT = [
  "ReadableStream",
  "WritableStream",
  "TransformStream",
  "crypto",
  "URL",
  "URLSearchParams",
];
for (const name of [
  ...ABSENT,
  "atob",
  "btoa",
  "structuredClone",
  "TextDecoder",
  "Headers",
  "Request",
  "Response",
]) {
  delete globalThis[name];
}
delete AbortSignal.any;
delete AbortSignal.timeout;
delete AbortSignal.prototype.throwIfAborted;
Object.defineProperty(AbortSignal.prototype, "reason", { get: () => undefined });
globalThis.FormData = class {
  parts = [];
  append(name, value) {
    this.parts.push([name, value]);
  }
};
globalThis.XMLHttpRequest = class {
  static sent = [];
  static answer = () => {};
  upload = {};
  headers = {};
  open(method, url) {
    Object.assign(this, { method, url });
  }
  setRequestHeader(name, value) {
    this.headers[name] = value;
  }
  send(form) {
    this.form = form;
    XMLHttpRequest.sent.push(this);
    setTimeout(() => XMLHttpRequest.answer(this, XMLHttpRequest.sent.length));
  }
  getResponseHeader(name) {
    return { "Content-Type": "application/json" }[name] ?? null;
  }
  respond(status, body) {
    Object.assign(this, { status, responseText: JSON.stringify(body) });
    this.onload();
  }
  abort() {
    this.isAborted = true;
    this.onabort();
  }
};

const { Cheershare } = await import("../src/index.js");

/** Return a client as an app on a phone has it: an asynchronous storage, and a plain `fetch`. */
function newPhone(answers = {}) {
  const items = new Map();
  const storage = {
    getItem: async (key) => items.get(key) ?? null,
    setItem: async (key, value) => void items.set(key, value),
    removeItem: async (key) => void items.delete(key),
  };
  const fetch = async (url) => {
    const path = url.slice("https://api.example".length);
    const text = JSON.stringify(answers[path] ?? { user: { id: "u1" }, ...pair(1) });
    return { status: 200, headers: { get: () => "application/json" }, text: async () => text };
  };
  XMLHttpRequest.sent = [];
  return new Cheershare({ baseUrl: "https://api.example", storage, fetch, retryDelay: 1 });
}

const pair = (number) => ({
  access_token: `access${number}`,
  refresh_token: "refresh",
  expires_in: 600,
});
const photo = { uri: "file:///photo.jpg", name: "photo.jpg", type: "image/jpeg" };
const signIn = (client) => client.auth.signInByPassword({ username: "asha", password: "secret" });

test("app_signs_in_and_uploads_a_file_of_the_device_with_progress", async () => {
  const client = newPhone();
  assert.deepEqual(await signIn(client), { id: "u1" });
  const progress = [];
  XMLHttpRequest.answer = (request) => {
    request.upload.onprogress({ loaded: 5, total: 10 });
    request.upload.onprogress({ loaded: 10, total: 10 });
    request.respond(201, { id: "c1" });
  };
  const onProgress = ({ loaded, total }) => progress.push(loaded / total);
  const created = await client.creatives.upload(photo, { scheduled_at: "now" }, { onProgress });
  assert.deepEqual([created, progress], [{ id: "c1" }, [0.5, 1]]);
  const [request] = XMLHttpRequest.sent;
  assert.equal(request.headers.Authorization, "Bearer access1");
  assert.ok(request.headers["Idempotency-Key"].length >= 16);
  assert.equal(request.headers["Content-Type"], undefined); // the platform adds the boundary
  assert.equal(request.withCredentials, false);
  assert.deepEqual(request.form.parts, [
    ["scheduled_at", "now"],
    ["file", photo],
  ]);
});

test("upload_with_lost_connection_is_repeated_with_its_key", async () => {
  const client = newPhone();
  await signIn(client);
  XMLHttpRequest.answer = (request, count) =>
    count < 3 ? request.onerror() : request.respond(201, { id: "c1" });
  assert.deepEqual(await client.creatives.upload(photo, { scheduled_at: "now" }), { id: "c1" });
  const keys = XMLHttpRequest.sent.map(({ headers }) => headers["Idempotency-Key"]);
  assert.deepEqual([keys.length, new Set(keys).size], [3, 1]);
});

test("upload_with_expired_token_is_sent_again_with_the_new_one", async () => {
  const client = newPhone({ "/v1/auth/refresh": { user: { id: "u1" }, ...pair(2) } });
  await signIn(client);
  XMLHttpRequest.answer = (request, count) =>
    count === 1
      ? request.respond(401, { code: "token_invalid", detail: "expired" })
      : request.respond(201, { id: "c1" });
  await client.creatives.upload(photo, { scheduled_at: "now" });
  assert.equal(XMLHttpRequest.sent[1].headers.Authorization, "Bearer access2");
});

test("upload_that_is_aborted_ends_the_request", async () => {
  const client = newPhone();
  await signIn(client);
  const controller = new AbortController();
  XMLHttpRequest.answer = () => controller.abort();
  const upload = client.creatives.upload(
    photo,
    { scheduled_at: "now" },
    { signal: controller.signal },
  );
  await assert.rejects(upload, { name: "AbortError" });
  assert.deepEqual(
    XMLHttpRequest.sent.map(({ isAborted }) => isAborted),
    [true],
  );
});

test("upload_that_hangs_ends_after_the_time_that_its_size_needs", async () => {
  const client = new Cheershare({ baseUrl: "https://api.example", timeout: 20, retries: 0 });
  XMLHttpRequest.sent = [];
  XMLHttpRequest.answer = () => {};
  const picture = new Blob(["x"]);
  await assert.rejects(client.creatives.upload(picture, { scheduled_at: "now" }), {
    code: "timeout",
  });
  assert.equal(XMLHttpRequest.sent[0].isAborted, true);
});
