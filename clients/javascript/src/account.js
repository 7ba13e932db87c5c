// The signed-in user's account: profile, contacts, password, devices, and proving oneself again.

import { expiry } from "./session.js";

/** @typedef {import("./api/auth.js").ChallengeResponse} Sent */
/** @typedef {import("./api/auth.js").UserResponse} User */
/** @typedef {import("./errors.js").CheershareError} CheershareError */
/** @typedef {import("./passkeys.js").PasskeyPrompt} PasskeyPrompt */

/**
 * A body without the members that the client adds.
 * @template T
 * @typedef {import("./auth.js").Body<T>} Body
 */

/** @typedef {Body<import("./api/auth.js").ProfileBody>} Profile */

/** A call that fails with `step_up_required` works after a step-up: see `requestStepUp`. */
export class Account {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./passkeys.js").Passkeys} passkeys
   */
  constructor(session, passkeys) {
    this.session = session;
    this.passkeys = passkeys;
  }

  /** @returns {Promise<import("./api/auth.js").MeResponse>} */
  get() {
    return this.#request("GET", "/me");
  }

  /** Change names, username or language.
   * @param {Omit<Profile, "mobile" | "phone_number" | "email">} body
   * @returns {Promise<User>} */
  update(body) {
    return this.#request("PATCH", "/me", body);
  }

  /** Send a code to a new number or mail address.
   * @param {{mobile: string} | {email: string}} contact
   * @returns {Promise<Sent>} */
  async changeContact(contact) {
    const sent = await this.#request(
      "PATCH",
      "/me",
      await this.session.complete(undefined, contact),
    );
    await this.session.store.keepChallenge("contact", sent.challenge);
    return sent;
  }

  /** Replace the old contact by the new one, which the code proves.
   * @param {Body<import("./api/auth.js").VerifyContactBody>} body
   * @returns {Promise<User>} */
  async verifyContact(body) {
    const complete = await this.session.complete("contact", body);
    const user = await this.#request("POST", "/me/verify-contact", complete);
    await this.session.store.dropChallenge("contact");
    return user;
  }

  /** Return everything that the server holds about the user.
   * @returns {Promise<import("./api/auth.js").Export>} */
  export() {
    return this.#request("GET", "/me/export");
  }

  /** Delete the account, and sign out. */
  async remove() {
    await this.#request("DELETE", "/me");
    await this.session.forget();
  }

  /** Change the password; every other session ends.
   * @param {Body<import("./api/auth.js").ChangeBody>} body */
  async changePassword(body) {
    await this.#request("POST", "/change-password", await this.session.complete(undefined, body));
  }

  /** End every session of the user. @param {{exceptCurrent?: boolean}} [options] */
  async signOutEverywhere({ exceptCurrent = false } = {}) {
    await this.#request("POST", "/logout-all", { except_current: exceptCurrent });
    if (!exceptCurrent) await this.session.forget();
  }

  /** @param {{limit?: number, cursor?: string}} [query]
   * @returns {Promise<import("./api/auth.js").SessionPage>} */
  listSessions(query) {
    return this.session.request("GET", "/v1/auth/sessions", { query });
  }

  /** @param {string} id @returns {Promise<void>} */
  endSession(id) {
    return this.#request("DELETE", `/sessions/${id}`);
  }

  /** Send a code for `stepUp`, after `step_up_required`. It fails with `mfa_required` if the user
   * has a second factor, which has to be used then.
   * @returns {Promise<Sent>} */
  async requestStepUp() {
    const sent = await this.#request(
      "POST",
      "/step-up",
      await this.session.complete(undefined, {}),
    );
    await this.session.store.keepChallenge("step-up", sent.challenge);
    return sent;
  }

  /** Prove the user's identity again: by the code, the password, an authenticator app's code or a
   * recovery code. The refused call then works for 5 minutes.
   * @param {{otp: string} | {password: string} | {recovery_code: string}} proof */
  async stepUp(proof) {
    await this.#stepUp(await this.session.complete("otp" in proof ? "step-up" : undefined, proof));
    await this.session.store.dropChallenge("step-up");
  }

  /** Likewise by a passkey. @param {CheershareError} required of `requestStepUp`
   * @param {PasskeyPrompt} [prompt] */
  async stepUpByPasskey(required, prompt = {}) {
    const { challenge, public_key } = required.problem;
    const credential = await this.passkeys.get(public_key ?? {}, prompt);
    await this.#stepUp(await this.session.complete(undefined, { challenge, credential }));
  }

  /** @param {object} body */
  async #stepUp(body) {
    const { access_token, expires_in } = await this.#request("POST", "/step-up", body);
    await this.session.update({ access_token, expires_at: expiry(expires_in) });
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  #request(method, path, body) {
    return this.session.request(method, `/v1/auth${path}`, { body });
  }
}
