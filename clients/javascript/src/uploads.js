// Multipart uploads: by XMLHttpRequest where there is one, which reports progress, else by fetch.

/** @typedef {import("./http.js").Answer} Answer */

/**
 * @typedef {object} Progress
 * @property {number} loaded bytes that were sent
 * @property {number} total bytes of the whole form
 */

/**
 * A picture: a `Blob` or `File`, or on React Native `{uri, name, type}` of a file on the device.
 * @typedef {Blob | {uri: string, name: string, type: string}} Picture
 */

/**
 * @typedef {object} UploadOptions
 * @property {string} [idempotencyKey] keep it if you repeat a failed upload yourself: the server
 *   then creates one thing, whichever attempt arrived (default: one for this call and its retries)
 * @property {(progress: Progress) => void} [onProgress] called as bytes leave, if the platform
 *   has `XMLHttpRequest`; by fetch (Node) never
 * @property {AbortSignal} [signal] aborts the upload
 */

/** Return a new key for `idempotencyKey`. It need not be secret: it counts for its user alone. */
export function newIdempotencyKey() {
  const part = () => Math.random().toString(36).slice(2).padEnd(11, "0");
  return `${Date.now().toString(36)}-${part()}${part()}`;
}

/** @param {Picture} picture */
export function pictureBytes(picture) {
  return picture instanceof Blob ? picture.size : 10 * 1024 * 1024; // the server's usual limit
}

/**
 * Return a form of fields and a picture; undefined and null members are left out.
 * @param {Record<string, unknown>} fields
 * @param {string} name the picture's field
 * @param {Picture} [picture]
 */
export function buildForm(fields, name, picture) {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) {
    if (value !== undefined && value !== null) form.append(field, String(value));
  }
  if (picture) form.append(name, /** @type {Blob} */ (picture));
  return form;
}

/**
 * @param {typeof fetch} fetch
 * @param {string} url
 * @param {object} init
 * @param {string} init.method
 * @param {Record<string, string>} init.headers
 * @param {RequestCredentials} init.credentials
 * @param {AbortSignal} init.signal
 * @param {FormData} init.form
 * @param {(progress: Progress) => void} [init.onProgress]
 * @returns {Promise<Answer>}
 */
export function sendForm(fetch, url, { form, onProgress, ...init }) {
  if (typeof XMLHttpRequest === "undefined") return fetch(url, { ...init, body: form });
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(init.method, url);
    for (const [name, value] of Object.entries(init.headers)) request.setRequestHeader(name, value);
    request.withCredentials = init.credentials === "include";
    request.upload.onprogress = ({ loaded, total }) => onProgress?.({ loaded, total });
    request.onload = () =>
      resolve({
        status: request.status,
        headers: { get: (name) => request.getResponseHeader(name) },
        text: async () => request.responseText,
      });
    request.onerror = () => reject(new TypeError("The upload failed"));
    request.onabort = request.onerror;
    init.signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
