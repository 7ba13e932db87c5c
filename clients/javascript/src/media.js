// Pictures with their day (creatives), products, and webhooks.

import { buildForm, newIdempotencyKey, pictureBytes } from "./uploads.js";

/** @typedef {import("./uploads.js").Picture} Picture */
/** @typedef {import("./uploads.js").UploadOptions} UploadOptions */
/** @typedef {import("./api/media.js").CreativeResponse} Creative */
/** @typedef {import("./api/media.js").ProductResponse} Product */
/** @typedef {import("./api/media.js").WebhookResponse} Webhook */
/** @typedef {{limit?: number, cursor?: string}} Page */
/** @typedef {"original" | "preview" | "thumb"} Variant */

/**
 * A version to change: the item as it was read. The call fails with `version_mismatch` if another
 * change came first.
 * @typedef {{id: string, version: number}} Read
 */

const CREATIVES = "/v1/media/creatives";
const PRODUCTS = "/v1/media/products";
const WEBHOOKS = "/v1/media/webhooks";

export class Creatives {
  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.session = session;
  }

  /** Upload a picture for a day, a time or `now`.
   * @param {Picture} file
   * @param {Omit<import("./api/media.js").UploadForm, "file">} fields
   * @param {UploadOptions} [options]
   * @returns {Promise<Creative>} */
  upload(file, fields, options) {
    return sendPicture(this.session, "POST", CREATIVES, { fields, name: "file", file }, options);
  }

  /** @param {import("./api/media.js").operations["list_creatives"]["parameters"]["query"]} [query]
   * @returns {Promise<import("./api/media.js").CreativePage>} */
  list(query) {
    return this.session.request("GET", CREATIVES, { query });
  }

  /** Return what falls due today and tomorrow in a time zone.
   * @param {string} [timezone] default: UTC
   * @returns {Promise<import("./api/media.js").ScheduledCreatives>} */
  async schedule(timezone) {
    const answer = await this.session.request("GET", "/v1/media/scheduled", {
      query: { timezone },
    });
    return answer.scheduled_creatives;
  }

  /** @returns {Promise<import("./api/media.js").TimezonesResponse>} */
  listTimezones() {
    return this.session.request("GET", "/v1/media/timezones");
  }

  /** @param {string} id @returns {Promise<Creative>} */
  get(id) {
    return this.session.request("GET", `${CREATIVES}/${id}`);
  }

  /** Reschedule, rename or cancel.
   * @param {Read} creative
   * @param {import("./api/media.js").CreativeChange} body
   * @returns {Promise<Creative>} */
  change(creative, body) {
    return change(this.session, `${CREATIVES}/${creative.id}`, creative, body);
  }

  /** @param {string} id @returns {Promise<void>} */
  remove(id) {
    return this.session.request("DELETE", `${CREATIVES}/${id}`);
  }

  /** Return the picture's bytes.
   * @param {string} id @param {Variant} [variant] default: `original` @returns {Promise<Blob>} */
  file(id, variant) {
    return this.session.request("GET", `${CREATIVES}/${id}/file`, {
      query: { variant },
      as: "blob",
    });
  }

  /** Return a link to the picture that needs no sign-in, with the server's address.
   * @param {string} id
   * @param {import("./api/media.js").LinkRequest} body
   * @returns {Promise<import("./api/media.js").LinkResponse>} */
  async createLink(id, body) {
    const link = await this.session.request("POST", `${CREATIVES}/${id}/link`, { body });
    return { ...link, url: this.session.http.baseUrl + link.url };
  }
}

export class Products {
  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.session = session;
  }

  /** Offer a product. `price` is in the currency's smallest unit.
   * @param {import("./api/media.js").ProductBody} fields
   * @param {Picture} [photo]
   * @param {UploadOptions} [options]
   * @returns {Promise<Product>} */
  create(fields, photo, options) {
    return sendPicture(
      this.session,
      "POST",
      PRODUCTS,
      { fields, name: "photo", file: photo },
      options,
    );
  }

  /** Return the user's own products.
   * @param {Page} [query] @returns {Promise<import("./api/media.js").ProductPage>} */
  list(query) {
    return this.session.request("GET", PRODUCTS, { query });
  }

  /** Search everyone's public products; this needs no sign-in.
   * @param {Page & {q?: string}} [query]
   * @returns {Promise<import("./api/media.js").ProductPage>} */
  search(query) {
    return this.session.requestOpenly("GET", `${PRODUCTS}/public`, { query });
  }

  /** @param {string} id @returns {Promise<Product>} */
  get(id) {
    return this.session.request("GET", `${PRODUCTS}/${id}`);
  }

  /** @param {Read} product
   * @param {import("./api/media.js").ProductChange} body
   * @returns {Promise<Product>} */
  change(product, body) {
    return change(this.session, `${PRODUCTS}/${product.id}`, product, body);
  }

  /** @param {string} id @returns {Promise<void>} */
  remove(id) {
    return this.session.request("DELETE", `${PRODUCTS}/${id}`);
  }

  /** Set or replace a product's photo.
   * @param {string} id
   * @param {Picture} photo
   * @param {Omit<UploadOptions, "idempotencyKey">} [options]
   * @returns {Promise<Product>} */
  putPhoto(id, photo, options) {
    const form = { fields: {}, name: "photo", file: photo };
    return sendPicture(this.session, "PUT", `${PRODUCTS}/${id}/photo`, form, options);
  }

  /** @param {string} id @param {Variant} [variant] default: `original` @returns {Promise<Blob>} */
  photo(id, variant) {
    return this.session.request("GET", `${PRODUCTS}/${id}/photo`, {
      query: { variant },
      as: "blob",
    });
  }
}

export class Webhooks {
  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.session = session;
  }

  /** Create an endpoint; its `secret` is in this answer alone.
   * @param {import("./api/media.js").WebhookBody} body
   * @returns {Promise<import("./api/media.js").WebhookCreatedResponse>} */
  create(body) {
    return this.session.request("POST", WEBHOOKS, { body });
  }

  /** @param {Page} [query] @returns {Promise<import("./api/media.js").WebhookPage>} */
  list(query) {
    return this.session.request("GET", WEBHOOKS, { query });
  }

  /** @param {string} id @returns {Promise<Webhook>} */
  get(id) {
    return this.session.request("GET", `${WEBHOOKS}/${id}`);
  }

  /** @param {string} id
   * @param {import("./api/media.js").WebhookChange} body
   * @returns {Promise<Webhook>} */
  change(id, body) {
    return this.session.request("PATCH", `${WEBHOOKS}/${id}`, { body });
  }

  /** @param {string} id @returns {Promise<void>} */
  remove(id) {
    return this.session.request("DELETE", `${WEBHOOKS}/${id}`);
  }

  /** Return a new secret; the old one signs beside it for a day.
   * @param {string} id @returns {Promise<string>} */
  async rotateSecret(id) {
    return (await this.session.request("POST", `${WEBHOOKS}/${id}/rotate-secret`)).secret;
  }

  /** Send a `webhook.test` event.
   * @param {string} id @returns {Promise<import("./api/media.js").QueuedResponse>} */
  test(id) {
    return this.session.request("POST", `${WEBHOOKS}/${id}/test`);
  }

  /** @param {string} id
   * @param {import("./api/media.js").operations["list_deliveries"]["parameters"]["query"]} [query]
   * @returns {Promise<import("./api/media.js").DeliveryPage>} */
  listDeliveries(id, query) {
    return this.session.request("GET", `${WEBHOOKS}/${id}/deliveries`, { query });
  }

  /** Send one delivery again.
   * @param {string} id @param {string} delivery its id @returns {Promise<void>} */
  redeliver(id, delivery) {
    return this.session.request("POST", `${WEBHOOKS}/${id}/deliveries/${delivery}/redeliver`);
  }

  /** Send again what has failed since a time.
   * @param {string} id @param {string} since RFC 3339 @returns {Promise<void>} */
  redeliverFailed(id, since) {
    return this.session.request("POST", `${WEBHOOKS}/${id}/redeliver`, { body: { since } });
  }
}

/**
 * @param {import("./session.js").Session} session
 * @param {string} path
 * @param {Read} read
 * @param {object} body
 */
function change(session, path, { version }, body) {
  return session.request("PATCH", path, { body, headers: { "If-Match": `"${version}"` } });
}

/**
 * @param {import("./session.js").Session} session
 * @param {string} method
 * @param {string} path
 * @param {{fields: Record<string, unknown>, name: string, file: Picture | undefined}} form
 * @param {UploadOptions} [options]
 */
function sendPicture(session, method, path, { fields, name, file }, options = {}) {
  const { idempotencyKey = newIdempotencyKey(), onProgress, signal } = options;
  return session.request(method, path, {
    form: buildForm(fields, name, file),
    formBytes: file && pictureBytes(file),
    headers: method === "POST" ? { "Idempotency-Key": idempotencyKey } : {},
    repeatable: true,
    onProgress,
    signal,
  });
}
