// The one place where the parts meet.

import { Account } from "./account.js";
import { Auth } from "./auth.js";
import { Factors } from "./factors.js";
import { Http } from "./http.js";
import { Creatives, Products, Webhooks } from "./media.js";
import { browserPasskeys } from "./passkeys.js";
import { Session } from "./session.js";
import { memoryStorage, Store } from "./store.js";

/**
 * @typedef {object} ClientOptions
 * @property {string} [baseUrl] the server's address, as `https://api.shop.example`; default: the
 *   page's own
 * @property {"bearer" | "cookie"} [transport] how requests carry the session: tokens in `storage`
 *   (default), or cookies that scripts cannot read, for pages on the server's own site
 * @property {import("./store.js").Storage} [storage] `localStorage`, `AsyncStorage` or the like;
 *   default: memory, which a reload of the page empties
 * @property {import("./passkeys.js").Passkeys} [passkeys] default: the browser's
 * @property {(error?: import("./errors.js").CheershareError) => void} [onSignedOut] called when the
 *   session has ended; without an error when this client ended it
 * @property {typeof fetch} [fetch] default: the platform's
 * @property {number} [timeout] ms that the server has for an answer (30,000); uploads have as much
 *   more as they need at 8 KiB/s
 * @property {number} [retries] of calls that may be repeated, after a temporary error (2)
 * @property {number} [retryDelay] ms before the first of them (500), and twice as long each time
 */

export class Cheershare {
  #session;

  /** @param {ClientOptions} [options] */
  constructor({
    baseUrl = "",
    transport = "bearer",
    storage = memoryStorage(),
    passkeys = browserPasskeys(),
    onSignedOut = () => {},
    fetch = (...request) => globalThis.fetch(...request),
    timeout = 30_000,
    retries = 2,
    retryDelay = 500,
  } = {}) {
    const usesCookies = transport === "cookie";
    const credentials = usesCookies ? "include" : "omit";
    const http = new Http({ baseUrl, fetch, credentials, timeout, retries, retryDelay });
    this.#session = new Session(http, new Store(storage), { usesCookies, onSignedOut });
    this.auth = new Auth(this.#session, passkeys);
    this.account = new Account(this.#session, passkeys);
    this.factors = new Factors(this.#session, passkeys);
    this.creatives = new Creatives(this.#session);
    this.products = new Products(this.#session);
    this.webhooks = new Webhooks(this.#session);
  }

  /**
   * Call a route that has no method here, such as an administrator's, as the signed-in user.
   * @param {string} method
   * @param {string} path with `/v1/…`
   * @param {import("./http.js").Call} [call]
   * @returns {Promise<any>} the parsed answer
   */
  request(method, path, call) {
    return this.#session.request(method, path, call);
  }
}
