// Second factors of the signed-in user: authenticator apps, passkeys, recovery codes.

/** @typedef {import("./api/auth.js").FactorResponse} Factor */
/** @typedef {import("./errors.js").CheershareError} CheershareError */

/**
 * How a user without a session adds the factor that a role demands: the error
 * `mfa_enrolment_required`, and the code that was sent, if the error has a `channel`.
 * @typedef {object} Enrolment
 * @property {CheershareError} required
 * @property {string} [otp]
 */

/**
 * @typedef {object} AddedFactor
 * @property {Factor} factor
 * @property {string[]} [recovery_codes] of a first factor; show them, they are never shown again
 */

/** Adding and removing factors needs a recent step-up, see `Account.requestStepUp`. */
export class Factors {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./passkeys.js").Passkeys} passkeys
   */
  constructor(session, passkeys) {
    this.session = session;
    this.passkeys = passkeys;
  }

  /** @returns {Promise<import("./api/auth.js").FactorsResponse>} */
  list() {
    return this.session.request("GET", "/v1/auth/me/factors");
  }

  /** Begin to add an authenticator app: show its QR code, then ask for a code of the app.
   * @param {{name?: string, enrolment?: Enrolment}} [options]
   * @returns {Promise<import("./api/auth.js").TotpResponse>} */
  addTotp({ name, enrolment } = {}) {
    return this.#post("/totp", { name }, enrolment);
  }

  /** @param {string} id @param {string} otp a code of the app
   * @param {Enrolment} [enrolment] that of `addTotp`; the user is signed in then
   * @returns {Promise<AddedFactor>} */
  async confirmTotp(id, otp, enrolment) {
    const ticket = enrolment && { required: enrolment.required };
    return this.#added(
      await this.#post(`/totp/${id}/confirm`, { otp, ...this.#signIn(ticket) }, ticket),
    );
  }

  /** @param {{name?: string, enrolment?: Enrolment}} [options]
   * @returns {Promise<AddedFactor>} */
  async addPasskey({ name, enrolment } = {}) {
    const { challenge, public_key } = await this.#post("/passkeys/options", {}, enrolment);
    const credential = await this.passkeys.create(public_key);
    const ticket = enrolment && { required: enrolment.required };
    const body = { challenge, credential, name, ...this.#signIn(ticket) };
    return this.#added(await this.#post("/passkeys", body, ticket));
  }

  /** @param {string} id @param {string} name @returns {Promise<Factor>} */
  rename(id, name) {
    return this.session.request("PATCH", `/v1/auth/me/factors/${id}`, { body: { name } });
  }

  /** @param {string} id */
  async remove(id) {
    await this.session.request("DELETE", `/v1/auth/me/factors/${id}`);
    await this.session.update({ expires_at: 0 }); // the next token says what is proven now
  }

  /** Replace the recovery codes. @returns {Promise<string[]>} */
  async newRecoveryCodes() {
    const answer = await this.session.request("POST", "/v1/auth/me/recovery-codes");
    return answer.recovery_codes;
  }

  /** Ask a remembered device for the factor again; without an id every one.
   * @param {string} [id] @returns {Promise<void>} */
  forgetDevice(id) {
    return this.session.request("DELETE", `/v1/auth/me/remembered-devices${id ? `/${id}` : ""}`);
  }

  /** @param {Enrolment} [enrolment] */
  #signIn(enrolment) {
    return enrolment && { transport: this.session.usesCookies ? "cookie" : "body" };
  }

  /** Keep what the completed factor changes. @param {any} answer @returns {Promise<AddedFactor>} */
  async #added(answer) {
    if (answer.factor) {
      await this.session.adopt(answer);
      return { factor: answer.factor, recovery_codes: answer.recovery_codes };
    }
    await this.session.update({ expires_at: 0 }); // the next token says that the factor is proven
    const { recovery_codes, ...factor } = answer;
    return { factor, recovery_codes };
  }

  /** @param {string} path @param {object} body @param {Enrolment} [enrolment] */
  async #post(path, body, enrolment) {
    const device = await this.session.store.device();
    const ticket = enrolment && {
      mfa_ticket: enrolment.required.problem.mfa_ticket,
      otp: enrolment.otp,
    };
    const call = { body: { ...ticket, ...body, device } };
    const url = `/v1/auth/me/factors${path}`;
    return enrolment
      ? this.session.requestOpenly("POST", url, call)
      : this.session.request("POST", url, call);
  }
}
