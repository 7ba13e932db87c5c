// The session: where its tokens are kept, how requests carry them, and when they are exchanged.

import { CheershareError, hasCode } from "./errors.js";
import { untilAborted } from "./http.js";

/** @typedef {import("./api/auth.js").TokenPair} TokenPair */
/** @typedef {import("./api/auth.js").UserResponse} User */
/** @typedef {import("./http.js").Call} Call */
/** @typedef {import("./store.js").SessionRecord} SessionRecord */

const UPLOAD_TIME = 120_000; // ms: the server checks a token again after the last byte
const SAFE_METHODS = new Set(["GET", "HEAD"]);
const REFUSED_TOKEN = ["token_invalid", "token_revoked", "token_missing"];
const ENDED_SESSION = ["refresh_invalid", "refresh_reused"];

/**
 * Sends requests with the session's credentials, and keeps the session alive.
 *
 * Several clients may share one storage, as the tabs of a browser share `localStorage`. They need
 * no lock between them. The server derives a refresh token's successor from the token itself. So
 * clients that exchange the same token at once all receive the same successor. A client that
 * repeats an exchange receives it too: the answer was lost, say, or a tab was closed in the middle
 * of it. Two rules are left for the client. It reads the storage before each exchange, and takes
 * the newer tokens that another client stored. After the exchange it stores the answer only if the
 * exchanged token is still the stored one, so that a late answer never replaces newer tokens.
 *
 * A limit remains. To the server an old token is a copied one once its successor was exchanged, or
 * was in use for `REFRESH_GRACE` (10 s). So a request to exchange it must not be under way for that
 * long while another client is ahead.
 *
 * Only the server ends a session, by `refresh_invalid` or `refresh_reused`. Whatever else happens
 * (no network, a status 503, a proxy's page) is an error of the call; the session stays.
 */
export class Session {
  /** @type {Promise<SessionRecord> | undefined} */
  #refreshing;

  /**
   * @param {import("./http.js").Http} http
   * @param {import("./store.js").Store} store
   * @param {object} options
   * @param {boolean} options.usesCookies
   * @param {(error: CheershareError | undefined) => void} options.onSignedOut
   */
  constructor(http, store, { usesCookies, onSignedOut }) {
    this.http = http;
    this.store = store;
    this.usesCookies = usesCookies;
    this.onSignedOut = onSignedOut;
  }

  /**
   * Send a request as the signed-in user, and exchange expired tokens for it.
   * @param {string} method
   * @param {string} path
   * @param {Call} [call]
   * @returns {Promise<any>}
   */
  async request(method, path, call = {}) {
    let record = await this.store.read();
    const needed = call.form ? UPLOAD_TIME : 0;
    if (record?.expires_at !== undefined && Date.now() + needed >= record.expires_at) {
      record = sameUser(await untilAborted(this.refresh(record), call.signal), record);
    }
    if (this.usesCookies && !record && !SAFE_METHODS.has(method)) record = await this.learn();
    try {
      return await this.#send(method, path, call, record);
    } catch (error) {
      if (hasCode(error, ...REFUSED_TOKEN) && (record || this.usesCookies)) {
        record = sameUser(await untilAborted(this.refresh(record), call.signal), record);
      } else if (hasCode(error, "csrf_failed") && this.usesCookies) {
        record = sameUser(await this.learn(), record); // another tab signed in anew
      } else throw error;
      return this.#send(method, path, call, record);
    }
  }

  /**
   * Send a request that needs no session.
   * @param {string} method
   * @param {string} path
   * @param {Call} [call]
   * @returns {Promise<any>}
   */
  requestOpenly(method, path, call = {}) {
    return this.#send(method, path, call, undefined);
  }

  /**
   * Exchange the refresh token, unless another call of this client, or another client of this
   * storage, just did.
   * @param {SessionRecord | undefined} stale the record that is too old
   * @returns {Promise<SessionRecord>}
   */
  refresh(stale) {
    this.#refreshing ??= this.http
      .retry(() => this.#exchange(stale))
      .finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  /**
   * Keep the tokens of an answer, in place of any before.
   * @param {TokenPair} pair
   * @returns {Promise<User>}
   */
  async adopt(pair) {
    await this.store.write(toRecord(pair));
    if (pair.device) await this.store.keepDevice(pair.device);
    return pair.user;
  }

  /**
   * Change the stored session, if there is one: by what a step-up answered, say.
   * @param {Partial<SessionRecord>} changes
   */
  async update(changes) {
    await this.#refreshing?.catch(() => {}); // its tokens are newer
    const record = await this.store.read();
    if (record) await this.store.write({ ...record, ...changes });
  }

  /**
   * End the session at the server, then forget it. Without an answer it is kept, and the call can
   * be repeated.
   */
  async signOut() {
    const record = await this.store.read();
    const call = { body: { refresh_token: record?.refresh_token }, repeatable: true };
    const path = "/v1/auth/logout";
    const sent = this.usesCookies
      ? this.request("POST", path, call)
      : this.#send("POST", path, call, record);
    await sent.catch((error) => {
      if (error.status !== 401) throw error;
    });
    await this.forget();
  }

  /** Forget the session, but not the device. @param {CheershareError} [error] why it ended */
  async forget(error) {
    const wasKnown = await this.store.read();
    await this.store.remove();
    if (wasKnown) this.onSignedOut(error);
  }

  /**
   * Add this device's token to a body, and the handle of the flow's newest code.
   * @param {string | undefined} flow
   * @param {object} body
   */
  async complete(flow, body) {
    const challenge = flow && (await this.store.challenge(flow));
    return { ...body, device: await this.store.device(), ...(challenge && { challenge }) };
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Call} call
   * @param {SessionRecord | undefined} record
   */
  #send(method, path, call, record) {
    const headers = { ...call.headers };
    if (record?.access_token) headers.Authorization = `Bearer ${record.access_token}`;
    if (record?.csrf && !SAFE_METHODS.has(method)) headers["X-CSRF-Token"] = record.csrf;
    const attempt = () => this.http.send(method, path, { ...call, headers });
    const repeatable = call.repeatable ?? SAFE_METHODS.has(method);
    return repeatable ? this.http.retry(attempt, call.signal) : attempt();
  }

  /** @param {SessionRecord | undefined} stale */
  async #exchange(stale) {
    const current = await this.store.read();
    if (!current && !this.usesCookies) throw signedOut();
    if (current && stale && isOther(current, stale)) return current;
    const presented = current?.refresh_token;
    try {
      const body = { refresh_token: presented };
      const record = toRecord(await this.http.send("POST", "/v1/auth/refresh", { body }));
      const stored = await this.store.read();
      if (current && !stored) throw signedOut();
      if (stored && stored.refresh_token !== presented) return stored;
      await this.store.write(record);
      return record;
    } catch (error) {
      if (!hasCode(error, ...ENDED_SESSION)) throw error;
      const stored = await this.store.read();
      if (stored && current && isOther(stored, current)) return stored;
      await this.forget(error);
      throw error;
    }
  }

  /** Learn user and CSRF token of the browser's session, as after a reload of the page.
   * @returns {Promise<SessionRecord>} */
  async learn() {
    const get = () => this.#send("GET", "/v1/auth/me", {}, undefined);
    const { csrf, ...user } = await get().catch(async (error) => {
      if (!hasCode(error, ...REFUSED_TOKEN)) throw error;
      await this.refresh(undefined);
      return get();
    });
    const record = { csrf, user };
    await this.store.write(record);
    return record;
  }
}

/**
 * Return whether another exchange or sign-in has replaced the record.
 * @param {SessionRecord} stored
 * @param {SessionRecord} known
 */
function isOther(stored, known) {
  return stored.access_token !== known.access_token || stored.expires_at !== known.expires_at;
}

/**
 * Return the newer record, unless another user has signed in: a request of one user is never sent
 * as another's.
 * @param {SessionRecord} newer
 * @param {SessionRecord | undefined} known
 */
function sameUser(newer, known) {
  if (known && known.user.id !== newer.user.id) throw signedOut();
  return newer;
}

/** @param {TokenPair} pair @returns {SessionRecord} */
function toRecord({ access_token, refresh_token, csrf, expires_in, user }) {
  if (!user || !(access_token || csrf)) {
    const detail = "The answer has no session: a proxy may have sent it";
    throw new CheershareError({ code: "unexpected_response", detail });
  }
  return {
    access_token,
    refresh_token,
    csrf: csrf ?? undefined,
    expires_at: expiry(expires_in),
    user,
  };
}

/** @param {number} seconds */
export function expiry(seconds) {
  return Date.now() + seconds * 1000;
}

function signedOut() {
  return new CheershareError({ code: "signed_out", status: 401, detail: "Sign in first" });
}
