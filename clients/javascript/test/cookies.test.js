// Sessions in cookies, as a browser's page on the server's own site has them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStorage } from "../src/index.js";
import {
  baseUrl,
  day,
  failure,
  newClient,
  newNumber,
  picture,
  readCode,
  signedUp,
} from "./stack.js";

/** Return a browser: a `fetch` with a cookie jar, which the tabs share. */
function newBrowser() {
  const jar = new Map();
  const browser = async (url, init) => {
    assert.equal(init.credentials, "include");
    const cookies = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...init.headers, Origin: baseUrl, ...(cookies && { Cookie: cookies }) };
    const answer = await fetch(url, { ...init, headers });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      if (/max-age=0/i.test(cookie)) jar.delete(name);
      else jar.set(name, value);
    }
    return answer;
  };
  return { transport: "cookie", fetch: browser, jar };
}

test("cookies_carry_the_session_and_storage_has_no_token", async () => {
  const storage = memoryStorage();
  const browser = newBrowser();
  const { client, number } = await signedUp({ ...browser, storage });
  assert.ok(browser.jar.has("__Host-device"));
  assert.equal(storage.getItem("cheershare.device"), null);
  assert.doesNotMatch(storage.getItem("cheershare.session"), /token/);
  const creative = await client.creatives.upload(picture(), { scheduled_at: day(1) });
  assert.equal((await client.creatives.change(creative, { title: "Dot" })).title, "Dot");
  await client.account.requestStepUp();
  await client.account.stepUp({ otp: await readCode(number) });
  await client.auth.signOut();
  assert.equal(await client.auth.user(), null);
  assert.equal(browser.jar.has("__Host-access"), false);
});

test("reloaded_page_learns_user_and_csrf_token", async () => {
  const browser = newBrowser();
  const { number } = await signedUp(browser);
  const reloaded = newClient(browser);
  assert.equal((await reloaded.auth.user()).phone_number, number);
  assert.equal((await newClient(browser).account.update({ name: "Asha R." })).name, "Asha R.");
  await newClient(browser).auth.signOut();
  assert.equal((await failure(reloaded.account.get())).code, "refresh_invalid");
  assert.equal(await reloaded.auth.user(), null);
});

test("refused_access_cookie_is_refreshed", async () => {
  const browser = newBrowser();
  const { client } = await signedUp(browser);
  const reload = newClient(browser);
  const before = browser.jar.get("__Secure-refresh");
  const storage = memoryStorage();
  const expired = newClient({ ...browser, storage });
  await expired.account.update({ name: "A" });
  const record = JSON.parse(storage.getItem("cheershare.session"));
  storage.setItem("cheershare.session", JSON.stringify({ ...record, expires_at: 0 }));
  assert.equal((await expired.account.update({ name: "B" })).name, "B");
  assert.notEqual(browser.jar.get("__Secure-refresh"), before);
  assert.equal((await client.account.get()).name, "B");
  assert.equal((await reload.account.get()).name, "B");
});

test("page_never_changes_the_account_of_another_user_of_the_browser", async () => {
  const browser = newBrowser();
  const { client } = await signedUp(browser);
  const other = newClient(browser);
  const number = newNumber();
  await other.auth.signUp({ name: "Ravi", phone_number: number });
  await other.auth.verifySignUp({ phone_number: number, otp: await readCode(number) });
  assert.equal((await failure(client.account.update({ name: "Asha" }))).code, "signed_out");
  assert.equal((await other.account.get()).name, "Ravi");
});

test("browser_without_session_has_no_user", async () => {
  const signedOut = [];
  const client = newClient({ ...newBrowser(), onSignedOut: (error) => signedOut.push(error) });
  assert.equal(await client.auth.user(), null);
  assert.deepEqual(signedOut, []);
});
