// What a client keeps between calls: the session, this device's token, the handles of codes.

/** @typedef {import("./api/auth.js").UserResponse} User */

/**
 * Where the session is kept: `localStorage`, React Native's `AsyncStorage`, or your own.
 * @typedef {object} Storage
 * @property {(key: string) => string | null | Promise<string | null>} getItem
 * @property {(key: string, value: string) => unknown} setItem
 * @property {(key: string) => unknown} removeItem
 */

/**
 * With cookies a record has no tokens: the browser keeps them from scripts.
 * @typedef {object} SessionRecord
 * @property {string} [access_token]
 * @property {string} [refresh_token]
 * @property {string} [csrf] with cookies
 * @property {number} [expires_at] when the access token expires, in ms by this device's clock
 * @property {User} user
 */

const SESSION = "cheershare.session";
const DEVICE = "cheershare.device";
const CHALLENGE = "cheershare.challenge.";

/** Return a storage that lasts as long as this object. @returns {Storage} */
export function memoryStorage() {
  /** @type {Map<string, string>} */
  const items = new Map();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  };
}

/** The client's entries in a storage. */
export class Store {
  /** @param {Storage} storage */
  constructor(storage) {
    this.storage = storage;
  }

  /** @returns {Promise<SessionRecord | undefined>} */
  async read() {
    const text = await this.storage.getItem(SESSION);
    return text ? JSON.parse(text) : undefined;
  }

  /** @param {SessionRecord} record */
  async write(record) {
    await this.storage.setItem(SESSION, JSON.stringify(record));
  }

  async remove() {
    await this.storage.removeItem(SESSION);
  }

  /** @param {string} token */
  async keepDevice(token) {
    await this.storage.setItem(DEVICE, token);
  }

  /** Return the device token of the last sign-in; with cookies the browser has it.
   * @returns {Promise<string | undefined>} */
  async device() {
    return (await this.storage.getItem(DEVICE)) ?? undefined;
  }

  /**
   * Keep the handle of a code that was sent, so that no stranger's request for another code
   * replaces it. It is stored, because an app may be ended while its user reads the message.
   * @param {string} flow
   * @param {string} challenge
   */
  async keepChallenge(flow, challenge) {
    await this.storage.setItem(CHALLENGE + flow, challenge);
  }

  /** @param {string} flow */
  async challenge(flow) {
    return (await this.storage.getItem(CHALLENGE + flow)) ?? undefined;
  }

  /** @param {string} flow */
  async dropChallenge(flow) {
    await this.storage.removeItem(CHALLENGE + flow);
  }
}
