import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { memoryStorage } from "../src/index.js";
import { Authenticator } from "./authenticator.js";
import { baseUrl, failure, newClient, readCode, signedUp } from "./stack.js";

/** Return an app's code, `steps` half minutes from now; each works once. Source: RFC 6238 §4.2 */
function totp(secret, steps = 0) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret]
    .map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0"))
    .join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac("sha1", key).update(counter).digest();
  const number = mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff;
  return (number % 1_000_000).toString().padStart(6, "0");
}

async function signInAgain(client, number) {
  await client.auth.requestCode({ mobile: number });
  return client.auth.signInByCode({ mobile: number, otp: await readCode(number) });
}

test("authenticator_app_is_added_and_asked_for", async () => {
  const storage = memoryStorage();
  const { client, number } = await signedUp({ storage });
  const { id, secret, otpauth_uri } = await client.factors.addTotp({ name: "My phone" });
  assert.match(otpauth_uri, /^otpauth:/);
  assert.equal((await failure(client.factors.confirmTotp(id, "000000"))).code, "mfa_invalid");
  const { factor, recovery_codes } = await client.factors.confirmTotp(id, totp(secret, -1));
  assert.deepEqual([factor.kind, recovery_codes.length], ["totp", 10]);
  assert.equal((await client.factors.rename(id, "Old phone")).name, "Old phone");

  await client.auth.signOut();
  const required = await failure(signInAgain(client, number));
  assert.equal(required.code, "mfa_required");
  assert.deepEqual(required.problem.methods, ["totp", "recovery_code"]);
  assert.equal((await failure(client.auth.proveByTotp(required, "000000"))).code, "mfa_invalid");
  const user = await client.auth.proveByTotp(required, totp(secret), { rememberDevice: true });
  assert.equal(user.phone_number, number);

  await client.auth.signOut();
  await signInAgain(client, number); // remembered by the device token that was kept
  const { remembered_devices, recovery_codes_left } = await client.factors.list();
  assert.deepEqual([remembered_devices.length, recovery_codes_left], [1, 10]);
  const stepUp = await failure(client.account.requestStepUp());
  assert.equal(stepUp.code, "mfa_required");
  await client.account.stepUp({ otp: totp(secret, 1) });
  assert.equal((await client.factors.newRecoveryCodes()).length, 10);
  await client.factors.forgetDevice();
  await client.factors.remove(id);
  await client.auth.signOut();
  await signInAgain(client, number);
});

test("recovery_code_stands_for_the_app", async () => {
  const { client, number } = await signedUp();
  const { id, secret } = await client.factors.addTotp();
  const { recovery_codes } = await client.factors.confirmTotp(id, totp(secret));
  const other = newClient();
  const required = await failure(signInAgain(other, number));
  await other.auth.proveByRecoveryCode(required, recovery_codes[0]);
  await other.account.stepUp({ recovery_code: recovery_codes[1] });
  assert.equal((await other.factors.list()).recovery_codes_left, 8);
});

test("passkey_is_added_and_signs_in_alone_or_as_second_factor", async () => {
  const passkeys = new Authenticator(baseUrl);
  const { client, number } = await signedUp({ passkeys });
  const { factor, recovery_codes } = await client.factors.addPasskey({ name: "Laptop" });
  assert.deepEqual([factor.kind, factor.name, recovery_codes.length], ["passkey", "Laptop", 10]);
  await client.auth.signOut();
  assert.equal((await client.auth.signInByPasskey()).phone_number, number);

  await client.auth.signOut();
  const required = await failure(signInAgain(client, number));
  assert.deepEqual(required.problem.methods, ["passkey", "recovery_code"]);
  assert.equal((await client.auth.proveByPasskey(required)).phone_number, number);
  const stepUp = await failure(client.account.requestStepUp());
  await client.account.stepUpByPasskey(stepUp);
  await client.factors.remove(factor.id);
  assert.equal((await failure(client.auth.signInByPasskey())).code, "credential_invalid");
});
