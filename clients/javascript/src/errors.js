// What a call can fail with: one class, whether the server, a proxy or the network failed.

/** @typedef {import("./api/auth.js").Problem} Problem */

/** Codes of this client's own; all others are the server's, as its API documentation lists them.
 * @typedef {"network_error" | "timeout" | "unexpected_response" | "signed_out"} ClientCode */

const GATEWAY_STATUSES = new Set([502, 503, 504]);
const CLIENT_CODES = new Set(["network_error", "timeout", "unexpected_response"]);

export class CheershareError extends Error {
  /**
   * @param {Partial<Problem> & {code: string, detail: string}} problem
   * @param {{retryAfter?: number, requestId?: string, cause?: unknown}} [more]
   */
  constructor(problem, { retryAfter, requestId, cause } = {}) {
    super(problem.detail, { cause });
    this.name = "CheershareError";
    /** A stable word, as `otp_invalid`. @type {ClientCode | (string & {})} */
    this.code = problem.code;
    /** The answer's HTTP status; 0 without an answer. */
    this.status = problem.status ?? 0;
    /** What is wrong with each field of a refused form, by the field's name.
     * @type {Record<string, {code: string, message: string}>} */
    this.fields = {};
    for (const { field, code, message } of problem.errors ?? []) {
      this.fields[field] ??= { code, message };
    }
    /** Seconds to wait before another try, if the server named them. */
    this.retryAfter = problem.retry_after ?? retryAfter;
    /** Names this request in the server's logs. */
    this.requestId = problem.request_id ?? requestId;
    /** The whole answer, with members that only some codes have, as `mfa_ticket`. */
    this.problem = problem;
  }

  /** Whether the same call may succeed in a moment: the network or a proxy failed, or a restart.
   * It says nothing about the session. */
  get isTemporary() {
    return (
      CLIENT_CODES.has(this.code) ||
      GATEWAY_STATUSES.has(this.status) ||
      this.code === "request_in_progress"
    );
  }
}

/** Return whether the error has one of these codes.
 * @param {unknown} error
 * @param {...string} codes
 * @returns {error is CheershareError} */
export function hasCode(error, ...codes) {
  return error instanceof CheershareError && codes.includes(error.code);
}
