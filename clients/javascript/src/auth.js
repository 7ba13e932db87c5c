// Sign-up, sign-in, second factors of a sign-in, forgotten passwords, sign-out.

import { hasCode } from "./errors.js";

/** @typedef {import("./api/auth.js").ChallengeResponse} Sent */
/** @typedef {import("./api/auth.js").UserResponse} User */
/** @typedef {import("./errors.js").CheershareError} CheershareError */
/** @typedef {import("./passkeys.js").PasskeyPrompt} PasskeyPrompt */

/**
 * A body without the members that the client adds.
 * @template T
 * @typedef {Omit<T, "device" | "challenge" | "transport">} Body
 */

/**
 * @typedef {object} Remember
 * @property {boolean} [rememberDevice] sign-ins of this device need no second factor for a while
 */

/**
 * Each method that signs in returns the user and keeps the session. It fails with `mfa_required` if
 * the user has a second factor: pass that error to one of the `prove…` methods. With
 * `mfa_enrolment_required` go on with `factors`.
 */
export class Auth {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./passkeys.js").Passkeys} passkeys
   */
  constructor(session, passkeys) {
    this.session = session;
    this.passkeys = passkeys;
  }

  /** Send a code to a phone, for a new user or one that exists.
   * @param {Omit<Body<import("./api/auth.js").SignupBody>, "otp">} body
   * @returns {Promise<Sent>} */
  signUp(body) {
    return this.#send("signup", "/signup", body);
  }

  /** @param {Omit<Body<import("./api/auth.js").SignupBody>, "name" | "altcha">} body */
  verifySignUp(body) {
    return this.#prove("signup", "/signup", body);
  }

  /** Register an account by phone or mail; a code is sent.
   * @param {Body<import("./api/auth.js").RegisterBody>} body
   * @returns {Promise<Sent & {user_id?: string}>} */
  register(body) {
    return this.#send("register", "/register", body);
  }

  /** Send the code of a registration again.
   * @param {Body<import("./api/auth.js").ResendBody>} body
   * @returns {Promise<Sent>} */
  async resendCode(body) {
    const challenge = await this.session.store.challenge("register");
    return this.#send("register", "/resend-otp", { ...body, challenge });
  }

  /** Activate a registered account by its code, and sign in.
   * @param {Body<import("./api/auth.js").VerifyBody>} body */
  activate(body) {
    return this.#prove("register", "/verify-otp", body);
  }

  /** Send a code to a user that exists.
   * @param {Omit<Body<import("./api/auth.js").LoginBody>, "otp" | "password" | "username">} body
   * @returns {Promise<Sent>} */
  requestCode(body) {
    return this.#send("login", "/login", body);
  }

  /** @param {Omit<Body<import("./api/auth.js").LoginBody>, "password" | "username">} body */
  signInByCode(body) {
    return this.#prove("login", "/login", body);
  }

  /** @param {Omit<Body<import("./api/auth.js").LoginBody>, "otp">} body */
  signInByPassword(body) {
    return this.#signIn("/login", body);
  }

  /** Sign in by a passkey alone; the device asks which.
   * @param {PasskeyPrompt} [prompt] */
  async signInByPasskey(prompt = {}) {
    const { challenge, public_key } = await this.#open("/passkeys/options", {});
    const credential = await this.passkeys.get(public_key, prompt);
    return this.#signIn("/passkeys/login", { challenge, credential });
  }

  /** @param {CheershareError} required @param {string} otp @param {Remember} [options] */
  proveByTotp(required, otp, options) {
    return this.#proveFactor(required, { method: "totp", otp }, options);
  }

  /** @param {CheershareError} required @param {string} code @param {Remember} [options] */
  proveByRecoveryCode(required, code, options) {
    return this.#proveFactor(required, { method: "recovery_code", recovery_code: code }, options);
  }

  /** @param {CheershareError} required @param {PasskeyPrompt & Remember} [options] */
  async proveByPasskey(required, options = {}) {
    const { mfa_ticket } = required.problem;
    const body = { mfa_ticket, device: await this.session.store.device() };
    const { challenge, public_key } = await this.#open("/mfa/passkey-options", body);
    const credential = await this.passkeys.get(public_key, options);
    return this.#proveFactor(required, { method: "passkey", challenge, credential }, options);
  }

  /** Send a code for a new password; the answer does not tell whether the account exists.
   * @param {Body<import("./api/auth.js").ForgotBody>} body
   * @returns {Promise<Sent>} */
  forgotPassword(body) {
    return this.#send("reset", "/forgot-password", body);
  }

  /** Exchange that code for a ticket, before the user chooses the password.
   * @param {Body<import("./api/auth.js").VerifyResetBody>} body
   * @returns {Promise<import("./api/auth.js").ResetTicketResponse>} */
  async verifyReset(body) {
    return this.#open("/verify-reset", await this.session.complete("reset", body));
  }

  /** Set a new password by a ticket, or by the code; every session ends.
   * @param {Body<import("./api/auth.js").ResetBody>} body */
  async resetPassword(body) {
    await this.#open(
      "/reset-password",
      body.reset_ticket ? body : await this.session.complete("reset", body),
    );
    await this.session.store.dropChallenge("reset");
  }

  /** End this session. If the server cannot be reached the call fails, and the session stays. */
  signOut() {
    return this.session.signOut();
  }

  /** Return the signed-in user as last stored here, null when signed out.
   * With cookies a page that was just loaded asks the server.
   * @returns {Promise<User | null>} */
  async user() {
    const record = await this.session.store.read();
    if (record || !this.session.usesCookies) return record?.user ?? null;
    try {
      return (await this.session.learn()).user;
    } catch (error) {
      if (hasCode(error, "refresh_invalid", "refresh_reused")) return null;
      throw error;
    }
  }

  /** Have a code sent, and keep its handle.
   * @param {string} flow @param {string} path @param {object} body */
  async #send(flow, path, body) {
    const sent = await this.#open(path, await this.session.complete(undefined, body));
    await this.session.store.keepChallenge(flow, sent.challenge);
    return sent;
  }

  /** Sign in by a code. @param {string} flow @param {string} path @param {object} body */
  async #prove(flow, path, body) {
    const user = await this.#signIn(path, await this.session.complete(flow, body));
    await this.session.store.dropChallenge(flow);
    return user;
  }

  /**
   * @param {CheershareError} required
   * @param {object} proof
   * @param {Remember} [options]
   */
  #proveFactor(required, proof, { rememberDevice: remember_device = false } = {}) {
    const { mfa_ticket } = required.problem;
    return this.#signIn("/mfa/verify", { mfa_ticket, ...proof, remember_device });
  }

  /** @param {string} path @param {object} body */
  async #signIn(path, body) {
    const transport = this.session.usesCookies ? "cookie" : "body";
    const complete = await this.session.complete(undefined, { ...body, transport });
    return this.session.adopt(await this.#open(path, complete));
  }

  /** @param {string} path @param {object} body */
  #open(path, body) {
    return this.session.requestOpenly("POST", `/v1/auth${path}`, { body });
  }
}
