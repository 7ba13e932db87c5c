// One exchange with the server: deadline, parsing, errors; and when it is worth another try.

import { CheershareError } from "./errors.js";
import { sendForm } from "./uploads.js";

/** @typedef {import("./uploads.js").Progress} Progress */

/**
 * What both `fetch` and `XMLHttpRequest` answer, as far as it is read here.
 * @typedef {object} Answer
 * @property {number} status
 * @property {{get(name: string): string | null}} headers
 * @property {() => Promise<string>} text
 * @property {() => Promise<Blob>} [blob]
 */

/**
 * @typedef {object} Call
 * @property {Record<string, unknown>} [query] members that are undefined or null are left out
 * @property {object} [body] sent as JSON
 * @property {FormData} [form] sent as multipart, instead of `body`
 * @property {number} [formBytes] about the form's size
 * @property {Record<string, string>} [headers]
 * @property {"json" | "blob"} [as] how a successful answer is read (`json`)
 * @property {boolean} [repeatable] sending it twice does no harm; true for GET
 * @property {AbortSignal} [signal] ends the call with its reason
 * @property {(progress: Progress) => void} [onProgress] of the form
 */

const SLOWEST_UPLOAD = 8192; // bytes a second: the server ends slower ones itself
const LONGEST_WAIT = 10; // seconds that a call waits by itself; above, the caller decides

export class Http {
  /**
   * @param {object} options
   * @param {string} options.baseUrl
   * @param {typeof fetch} options.fetch
   * @param {RequestCredentials} options.credentials
   * @param {number} options.timeout ms
   * @param {number} options.retries
   * @param {number} options.retryDelay ms
   */
  constructor({ baseUrl, fetch, credentials, timeout, retries, retryDelay }) {
    this.baseUrl = baseUrl.replace(/\/+$/, "");
    this.fetch = fetch;
    this.credentials = credentials;
    this.timeout = timeout;
    this.retries = retries;
    this.retryDelay = retryDelay;
  }

  /**
   * Send one request, once.
   * @param {string} method
   * @param {string} path
   * @param {Call} call
   * @returns {Promise<any>} the parsed answer; undefined where it has no body
   */
  async send(method, path, { query, body, form, formBytes = 0, signal, ...call }) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json", ...call.headers };
    if (body) headers["Content-Type"] = "application/json";
    const url = this.baseUrl + path + encodeQuery(query);
    const init = { method, headers, credentials: this.credentials };
    const timeout = this.timeout + (formBytes / SLOWEST_UPLOAD) * 1000;
    return withDeadline(timeout, signal, async (signal) => {
      const sent = { ...init, signal };
      /** @type {Answer} */
      const answer = form
        ? await sendForm(this.fetch, url, { ...sent, form, onProgress: call.onProgress })
        : await this.fetch(url, { ...sent, body: body && JSON.stringify(body) });
      return readAnswer(answer, call.as);
    });
  }

  /**
   * Make an attempt; after a temporary error make it again, `retries` times at most.
   * @template T
   * @param {() => Promise<T>} attempt
   * @param {AbortSignal} [signal] ends the wait between attempts
   * @returns {Promise<T>}
   */
  async retry(attempt, signal) {
    for (let failures = 0; ; failures++) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof CheershareError && error.isTemporary)) throw error;
        if (failures >= this.retries || (error.retryAfter ?? 0) > LONGEST_WAIT) throw error;
        const backoff = this.retryDelay * 2 ** failures * (0.75 + Math.random() / 2);
        await sleep(Math.max(backoff, (error.retryAfter ?? 0) * 1000), signal);
      }
    }
  }
}

/** @param {Record<string, unknown>} [query] */
function encodeQuery(query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const encoded = pairs.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return encoded.length > 0 ? `?${encoded.join("&")}` : "";
}

/**
 * @param {Answer} answer
 * @param {"json" | "blob"} [as]
 */
async function readAnswer(answer, as = "json") {
  const { status, headers } = answer;
  const type = headers.get("Content-Type") ?? "";
  const succeeded = status >= 200 && status < 300;
  if (succeeded && as === "blob" && type.startsWith("image/")) return answer.blob?.();
  const text = await answer.text();
  if (!text && (status === 202 || status === 204)) return undefined;
  const parsed = type.includes("json") ? parseObject(text) : undefined;
  if (succeeded && as === "json" && parsed) return parsed;
  const more = {
    retryAfter: Number(headers.get("Retry-After")) || undefined,
    requestId: headers.get("X-Request-ID") ?? undefined,
  };
  if (!succeeded && typeof parsed?.code === "string") {
    const { code, detail } = parsed;
    throw new CheershareError({ ...parsed, code, detail: `${detail}`, status }, more);
  }
  const detail = `The answer (status ${status}) is not the server's: a proxy may have sent it`;
  throw new CheershareError({ code: "unexpected_response", status, detail }, more);
}

/**
 * @param {string} text
 * @returns {Record<string, unknown> | undefined} undefined where it is no JSON object
 */
function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Run an exchange that ends with the caller's signal, or after `timeout` ms with an error.
 * @template T
 * @param {number} timeout
 * @param {AbortSignal | undefined} signal
 * @param {(signal: AbortSignal) => Promise<T>} exchange
 * @returns {Promise<T>}
 */
async function withDeadline(timeout, signal, exchange) {
  throwIfAborted(signal);
  const controller = new AbortController();
  let isLate = false;
  let abort = () => {};
  const aborted = new Promise((_, reject) => {
    abort = () => {
      controller.abort();
      reject(new Error("aborted")); // a `fetch` that ignores its signal must not hang the call
    };
  });
  const timer = setTimeout(() => {
    isLate = true;
    abort();
  }, timeout);
  signal?.addEventListener("abort", abort);
  try {
    return /** @type {T} */ (await Promise.race([exchange(controller.signal), aborted]));
  } catch (cause) {
    throwIfAborted(signal);
    if (cause instanceof CheershareError) throw cause;
    const [code, detail] = isLate
      ? ["timeout", "The server did not answer in time"]
      : ["network_error", "The server cannot be reached"];
    throw new CheershareError({ code, detail }, { cause });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/**
 * @param {number} ms
 * @param {AbortSignal} [signal]
 */
async function sleep(ms, signal) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  await untilAborted(new Promise((resolve) => (timer = setTimeout(resolve, ms))), signal).finally(
    () => clearTimeout(timer),
  );
}

/**
 * Wait for a promise, or end with the signal's reason; what the promise stands for goes on.
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
export async function untilAborted(promise, signal) {
  let abort = () => {};
  const aborted = new Promise((resolve) => (abort = () => resolve(undefined)));
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  const first = await Promise.race([promise, aborted]).finally(() =>
    signal?.removeEventListener("abort", abort),
  );
  throwIfAborted(signal);
  return /** @type {T} */ (first);
}

/** React Native's signals have neither `reason` nor `throwIfAborted`.
 * @param {AbortSignal} [signal] */
function throwIfAborted(signal) {
  if (!signal?.aborted) return;
  throw signal.reason ?? Object.assign(new Error("The call was aborted"), { name: "AbortError" });
}
