// Which tokens a client keeps where several share a storage, or another user signs in between.

import assert from "node:assert/strict";
import { test } from "node:test";
import { json, pair, problem, scripted, signIn, stored, user } from "./server.js";
import { failure } from "./stack.js";

/** Return a promise, and the function that fulfils it. */
function pending() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

test("late_refresh_answer_never_replaces_newer_tokens", async () => {
  const late = pending();
  const { client, storage, requests } = scripted(({ path }) =>
    path === "/v1/auth/refresh" ? late.promise : json(user),
  );
  signIn(storage, { age: 1 });
  const call = client.account.get();
  await new Promise((resolve) => setTimeout(resolve, 5));
  signIn(storage, { number: 3 }); // another tab exchanged twice meanwhile
  late.resolve(json(pair(2)));
  await call;
  assert.equal(stored(storage).refresh_token, "refresh3");
  assert.equal(requests.at(-1).headers.Authorization, "Bearer access3");
});

test("refused_token_takes_the_tokens_of_another_tab_without_exchange", async () => {
  const { client, storage, requests } = scripted(({ headers }) => {
    if (headers.Authorization === "Bearer access2") return json(user);
    signIn(storage, { number: 2 });
    return problem(401, "token_invalid");
  });
  signIn(storage);
  assert.deepEqual(await client.account.get(), user);
  assert.deepEqual(
    requests.map(({ path }) => path),
    ["/v1/auth/me", "/v1/auth/me"],
  );
});

test("refresh_refused_for_an_old_token_keeps_a_newer_session", async () => {
  const { client, storage } = scripted(({ path }) => {
    if (path !== "/v1/auth/refresh") return json(user);
    signIn(storage, { number: 5 }); // another tab signed in anew
    return problem(401, "refresh_invalid");
  });
  signIn(storage, { age: 1 });
  assert.deepEqual(await client.account.get(), user);
  assert.equal(stored(storage).refresh_token, "refresh5");
});

test("sign_out_in_another_tab_wins_over_a_refresh", async () => {
  const { client, storage } = scripted(({ path }) => {
    if (path !== "/v1/auth/refresh") return json(user);
    storage.removeItem("cheershare.session");
    return json(pair(2));
  });
  signIn(storage, { age: 1 });
  assert.equal((await failure(client.account.get())).code, "signed_out");
  assert.equal(await client.auth.user(), null);
});

test("call_of_one_user_is_never_sent_as_another", async () => {
  const { client, storage, requests } = scripted(() => {
    signIn(storage, { number: 7, user: { id: "u2", name: "Ravi" } });
    return problem(401, "token_invalid");
  });
  signIn(storage);
  const call = client.webhooks.create({ url: "https://a.example", events: ["*"] });
  assert.equal((await failure(call)).code, "signed_out");
  assert.equal(requests.length, 1);
  assert.equal((await client.auth.user()).id, "u2");
});

for (const code of ["refresh_invalid", "refresh_reused"]) {
  test(`${code}_ends_session_and_keeps_device`, async () => {
    const signedOut = [];
    const onSignedOut = (error) => signedOut.push(error.code);
    const { client, storage } = scripted(() => problem(401, code), { onSignedOut });
    signIn(storage, { age: 1 });
    storage.setItem("cheershare.device", "device");
    assert.equal((await failure(client.account.get())).code, code);
    assert.deepEqual(signedOut, [code]);
    assert.equal(await client.auth.user(), null);
    assert.equal(storage.getItem("cheershare.device"), "device");
  });
}

test("token_refused_after_a_refresh_is_an_error_without_end", async () => {
  const { client, storage, requests } = scripted(({ path }) =>
    path === "/v1/auth/refresh" ? json(pair(2)) : problem(401, "token_invalid"),
  );
  signIn(storage);
  assert.equal((await failure(client.account.get())).code, "token_invalid");
  assert.equal(requests.length, 3);
  assert.ok(await client.auth.user());
});

test("enrolment_by_ticket_signs_in", async () => {
  const { client, storage, requests } = scripted(({ path }) => {
    if (path === "/v1/auth/login") {
      return problem(403, "mfa_enrolment_required", { mfa_ticket: "cht_1", channel: "sms" });
    }
    if (path.endsWith("/totp"))
      return json({ id: "f1", secret: "s", otpauth_uri: "", qr_svg: "" }, 201);
    return json({ ...pair(1), factor: { id: "f1" }, recovery_codes: ["a"] });
  });
  const required = await failure(client.auth.signInByPassword({ username: "asha", password: "p" }));
  const enrolment = { required, otp: "123456" };
  const { id } = await client.factors.addTotp({ name: "Phone", enrolment });
  const added = await client.factors.confirmTotp(id, "654321", enrolment);
  assert.deepEqual(added, { factor: { id: "f1" }, recovery_codes: ["a"] });
  assert.deepEqual(requests[1].body, { name: "Phone", mfa_ticket: "cht_1", otp: "123456" });
  assert.deepEqual(requests[2].body, { mfa_ticket: "cht_1", otp: "654321", transport: "body" });
  assert.equal(stored(storage).access_token, "access1");
});

test("step_up_during_a_refresh_keeps_both_answers", async () => {
  const exchange = pending();
  const { client, storage } = scripted(({ path, headers }) => {
    if (path === "/v1/auth/refresh") return exchange.promise;
    if (path === "/v1/auth/step-up") return json({ access_token: "fresh", expires_in: 600 });
    return headers.Authorization === "Bearer access1" ? problem(401, "token_invalid") : json(user);
  });
  signIn(storage);
  const call = client.account.get();
  const stepUp = client.account.stepUp({ password: "secret" });
  setTimeout(() => exchange.resolve(json(pair(2))), 20);
  await Promise.all([call, stepUp]);
  const { access_token, refresh_token } = stored(storage);
  assert.deepEqual([access_token, refresh_token], ["fresh", "refresh2"]);
});

test("upload_exchanges_a_token_that_would_expire_under_way", async () => {
  const { client, storage, requests } = scripted(({ path }) =>
    path === "/v1/auth/refresh" ? json(pair(2)) : json({ id: "c1" }, 201),
  );
  signIn(storage, { age: -60_000 });
  await client.account.get();
  await client.creatives.upload(new Blob(["x"]), { scheduled_at: "now" });
  assert.deepEqual(
    requests.map(({ path, headers }) => [path, headers.Authorization]),
    [
      ["/v1/auth/me", "Bearer access1"],
      ["/v1/auth/refresh", undefined],
      ["/v1/media/creatives", "Bearer access2"],
    ],
  );
});

test("aborted_upload_does_not_wait_for_the_refresh_of_other_calls", async () => {
  const exchange = pending();
  const { client, storage } = scripted(({ path }) =>
    path === "/v1/auth/refresh" ? exchange.promise : json(user),
  );
  signIn(storage, { age: 1 });
  const controller = new AbortController();
  const { signal } = controller;
  const upload = client.creatives.upload(new Blob(["x"]), { scheduled_at: "now" }, { signal });
  const call = client.account.get();
  setTimeout(() => controller.abort(new Error("left")), 5);
  assert.equal((await failure(upload)).message, "left");
  exchange.resolve(json(pair(2)));
  assert.deepEqual(await call, user);
});

test("failed_refresh_of_an_aborted_call_is_no_unhandled_rejection", async () => {
  const { client, storage } = scripted(() => problem(500, "internal_error"));
  signIn(storage, { age: 1 });
  const signal = AbortSignal.abort(new Error("left"));
  const upload = client.creatives.upload(new Blob(["x"]), { scheduled_at: "now" }, { signal });
  assert.equal((await failure(upload)).message, "left");
  await new Promise((resolve) => setTimeout(resolve, 20)); // the runner fails on such a rejection
});
