// What tests need of the stack at BASE_URL: addresses of new users, and the codes that were sent.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { Cheershare } from "../src/index.js";

export const baseUrl = process.env.BASE_URL ?? "http://localhost:8000";
const read = new Map();

export function newNumber() {
  return `+9198${randomInt(1e8).toString().padStart(8, "0")}`;
}

export function newAddress() {
  return `asha-${randomInt(1e12).toString(36)}@example.com`;
}

/** Return the newest code for an address, once there is one that was not read yet. */
export async function readCode(to) {
  const url = `${baseUrl}/v1/auth/dev/inbox?to=${encodeURIComponent(to)}`;
  for (let tries = 0; tries < 400; tries++) {
    const { items } = await (await fetch(url)).json();
    const unread = items.slice(0, items.length - (read.get(to) ?? 0));
    const codes = unread.flatMap(({ text }) => /\b\d{6}\b/.exec(text) ?? []); // notices have none
    if (codes.length > 0) {
      read.set(to, items.length);
      return codes[0];
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail(`no code came to ${to}`);
}

export function newClient(options = {}) {
  return new Cheershare({ baseUrl, ...options });
}

/** Return a client whose new user is signed in by phone, and the user's number. */
export async function signedUp(options) {
  const client = newClient(options);
  const number = newNumber();
  await client.auth.signUp({ name: "Asha", phone_number: number });
  await client.auth.verifySignUp({ phone_number: number, otp: await readCode(number) });
  return { client, number };
}

/** Return the date of a day from now, in UTC. */
export function day(later) {
  return new Date(Date.now() + later * 86_400_000).toISOString().slice(0, 10);
}

/** Return a small picture. */
export function picture() {
  const png =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  return new File([Buffer.from(png, "base64")], "dot.png", { type: "image/png" });
}

/** Return a promise of the error that a call fails with. */
export function failure(promise) {
  return promise.then(
    () => assert.fail("the call did not fail"),
    (error) => error,
  );
}
