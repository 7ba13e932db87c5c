// A temporary error of the network, a proxy or a restart fails the call, and ends no session.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CheershareError } from "../src/index.js";
import { json, page, pair, problem, scripted, signIn, stored, user } from "./server.js";
import { failure } from "./stack.js";

const hang = () => new Promise(() => {});
const HICCUPS = {
  no_network: ["network_error", () => Promise.reject(new TypeError("fetch failed"))],
  hanging_server: ["timeout", hang],
  body_that_hangs: ["timeout", () => ({ status: 200, headers: new Headers(), text: hang })],
  gateway_502: ["bad_gateway", () => problem(502, "bad_gateway")],
  restart_503: ["service_unavailable", () => problem(503, "service_unavailable")],
  gateway_504: ["gateway_timeout", () => problem(504, "gateway_timeout")],
  html_503: ["unexpected_response", () => page(503)],
  html_200_of_a_captive_portal: ["unexpected_response", () => page(200)],
  html_401_of_a_proxy: ["unexpected_response", () => page(401)],
  html_403_of_a_proxy: ["unexpected_response", () => page(403)],
  json_of_another_server: ["unexpected_response", () => json({ hello: "world" })],
  cut_json: [
    "unexpected_response",
    () => new Response('{"access', { headers: { "Content-Type": "application/json" } }),
  ],
};

for (const [name, [code, answer]] of Object.entries(HICCUPS)) {
  test(`refresh_with_${name}_keeps_session_and_recovers`, async () => {
    const signedOut = [];
    let isBroken = true;
    const { client, storage, requests } = scripted(
      ({ path }) => {
        if (path === "/v1/auth/refresh") return isBroken ? answer() : json(pair(2));
        return json(user);
      },
      { timeout: 20, onSignedOut: (error) => signedOut.push(error) },
    );
    signIn(storage, { age: 1 });
    const error = await failure(client.account.get());
    assert.ok(error instanceof CheershareError);
    assert.deepEqual([error.code, error.isTemporary], [code, true]);
    assert.equal(requests.length, 3);
    assert.equal(stored(storage).refresh_token, "refresh1");
    isBroken = false;
    assert.deepEqual(await client.account.get(), user);
    assert.equal(stored(storage).refresh_token, "refresh2");
    assert.deepEqual(signedOut, []);
  });
}

test("get_after_one_temporary_error_succeeds", async () => {
  const { client, storage, requests } = scripted((_, index) => (index ? json(user) : page(502)));
  signIn(storage);
  assert.deepEqual(await client.account.get(), user);
  assert.equal(requests.length, 2);
});

test("change_with_lost_answer_is_not_sent_twice", async () => {
  const { client, storage, requests } = scripted(() =>
    Promise.reject(new TypeError("fetch failed")),
  );
  signIn(storage);
  const error = await failure(client.webhooks.create({ url: "https://a.example", events: ["*"] }));
  assert.equal(error.code, "network_error");
  assert.ok(error.cause instanceof TypeError);
  assert.equal(requests.length, 1);
});

test("server_error_500_is_neither_repeated_nor_a_sign_out", async () => {
  const { client, storage, requests } = scripted(() => problem(500, "internal_error"));
  signIn(storage, { age: 1 });
  const error = await failure(client.account.get());
  assert.deepEqual([error.code, error.isTemporary, requests.length], ["internal_error", false, 1]);
  assert.equal(stored(storage).refresh_token, "refresh1");
});

test("rate_limit_names_the_seconds_to_wait", async () => {
  const limited = problem(429, "rate_limited", { retry_after: 30, limit: "LIMIT_SEND_TOTAL" });
  const { client } = scripted(() => limited);
  const error = await failure(client.auth.requestCode({ mobile: "+919876543210" }));
  assert.deepEqual([error.code, error.status, error.retryAfter], ["rate_limited", 429, 30]);
  assert.equal(error.problem.limit, "LIMIT_SEND_TOTAL");
  assert.equal(error.requestId, "r-12345678");
});

test("long_retry_after_is_left_to_the_caller", async () => {
  const busy = () => problem(503, "service_unavailable", {}, { "Retry-After": "60" });
  const { client, storage, requests } = scripted(busy);
  signIn(storage);
  assert.equal((await failure(client.account.get())).retryAfter, 60);
  assert.equal(requests.length, 1);
});

test("sign_out_without_answer_keeps_session_for_another_try", async () => {
  let isBroken = true;
  const { client, storage, requests } = scripted(() =>
    isBroken ? page(503) : new Response(null, { status: 204 }),
  );
  signIn(storage, { age: 1 });
  assert.equal((await failure(client.auth.signOut())).code, "unexpected_response");
  assert.ok(await client.auth.user());
  isBroken = false;
  await client.auth.signOut();
  assert.deepEqual(requests.at(-1).body, { refresh_token: "refresh1" });
  assert.equal(await client.auth.user(), null);
});

test("aborted_call_ends_with_its_reason", async () => {
  const { client, storage } = scripted(hang);
  signIn(storage);
  const controller = new AbortController();
  const call = client.request("GET", "/v1/auth/me", { signal: controller.signal });
  setTimeout(() => controller.abort(new Error("left the page")), 5);
  assert.equal((await failure(call)).message, "left the page");
});

test("abort_ends_the_wait_before_another_try", async () => {
  const { client, storage, requests } = scripted(() => page(503), { retryDelay: 60_000 });
  signIn(storage);
  const controller = new AbortController();
  const call = client.request("GET", "/v1/auth/me", { signal: controller.signal });
  setTimeout(() => controller.abort(), 5);
  assert.equal((await failure(call)).name, "AbortError");
  assert.equal(requests.length, 1);
});
