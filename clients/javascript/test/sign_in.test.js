import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStorage } from "../src/index.js";
import { failure, newAddress, newClient, newNumber, readCode, signedUp } from "./stack.js";

test("sign_up_by_phone_returns_user_and_keeps_session", async () => {
  const { client, number } = await signedUp();
  assert.equal((await client.auth.user()).phone_number, number);
  assert.equal((await client.account.get()).name, "Asha");
  await client.auth.signOut();
  assert.equal(await client.auth.user(), null);
  assert.equal((await failure(client.account.get())).code, "token_missing");
});

test("registration_by_mail_signs_in_by_password_and_resets_it", async () => {
  const client = newClient();
  const email = newAddress();
  await client.auth.register({ email, password: "correct horse 1", first_name: "Asha" });
  await readCode(email);
  await client.auth.resendCode({ email });
  const user = await client.auth.activate({ email, otp: await readCode(email) });
  assert.equal(user.email, email);
  await client.auth.signOut();

  const wrong = await failure(client.auth.signInByPassword({ email, password: "wrong horse 1" }));
  assert.deepEqual(
    [wrong.code, wrong.status, wrong.isTemporary],
    ["invalid_credentials", 401, false],
  );
  assert.match(wrong.requestId, /^[A-Za-z0-9._-]{8,64}$/);
  await client.auth.signInByPassword({ email, password: "correct horse 1" });
  await client.account.changePassword({
    current_password: "correct horse 1",
    new_password: "correct horse 2",
  });

  await client.auth.forgotPassword({ email });
  const ticket = await client.auth.verifyReset({ email, otp: await readCode(email) });
  const reset = { reset_ticket: ticket.reset_ticket, new_password: "correct horse 3" };
  await client.auth.resetPassword(reset);
  assert.equal((await failure(client.account.get())).code, "refresh_invalid");
  await client.auth.signInByPassword({ email, password: "correct horse 3" });

  await client.auth.forgotPassword({ email });
  await client.auth.resetPassword({
    email,
    otp: await readCode(email),
    new_password: "correct horse 4",
  });
  await client.auth.signInByPassword({ email, password: "correct horse 4" });
});

test("sign_in_by_code_uses_the_handle_that_was_kept", async () => {
  const { client, number } = await signedUp();
  await client.auth.signOut();
  await client.auth.requestCode({ mobile: number });
  const otp = await readCode(number);
  await newClient().auth.requestCode({ mobile: number }); // a stranger asks for another code
  await readCode(number);
  const user = await client.auth.signInByCode({ mobile: number, otp });
  assert.equal(user.phone_number, number);
});

test("challenge_handle_and_device_survive_an_app_that_is_ended", async () => {
  const storage = memoryStorage();
  const number = newNumber();
  await newClient({ storage }).auth.signUp({ name: "Asha", phone_number: number });
  const otp = await readCode(number);
  await newClient().auth.signUp({ name: "Asha", phone_number: number });
  const client = newClient({ storage });
  await client.auth.verifySignUp({ phone_number: number, otp });
  await client.auth.signOut();
  assert.ok(await storage.getItem("cheershare.device"));
  assert.equal(await storage.getItem("cheershare.session"), null);
});

test("refused_form_names_its_fields", async () => {
  const error = await failure(newClient().auth.register({ username: "a", password: "short" }));
  assert.equal(error.code, "validation_failed");
  assert.deepEqual(Object.keys(error.fields).sort(), ["password", "username"]);
  assert.ok(error.fields.password.message);
});

test("sessions_are_listed_and_ended", async () => {
  const { client, number } = await signedUp();
  const other = newClient();
  await other.auth.requestCode({ mobile: number });
  await other.auth.signInByCode({ mobile: number, otp: await readCode(number) });
  const { items } = await client.account.listSessions();
  assert.equal(items.length, 2);
  await client.account.endSession(items.find((session) => !session.current).id);
  assert.equal((await failure(other.account.get())).code, "refresh_invalid");
  assert.equal(await other.auth.user(), null);
  await client.account.signOutEverywhere({ exceptCurrent: true });
  assert.ok(await client.auth.user());
  await client.account.signOutEverywhere();
  assert.equal(await client.auth.user(), null);
});

test("account_changes_profile_and_contact_and_is_deleted", async () => {
  const { client, number } = await signedUp();
  assert.equal((await client.account.update({ name: "Asha R." })).name, "Asha R.");
  const email = newAddress();
  await client.account.changeContact({ email });
  const user = await client.account.verifyContact({ email, otp: await readCode(email) });
  assert.equal(user.email, email);
  assert.equal((await client.account.export()).user.phone_number, number);
  await client.account.remove();
  assert.equal(await client.auth.user(), null);
});

test("step_up_by_code_keeps_the_session", async () => {
  const { client, number } = await signedUp();
  assert.equal((await client.account.requestStepUp()).channel, "sms");
  await client.account.stepUp({ otp: await readCode(number) });
  assert.ok(await client.account.get());
});
