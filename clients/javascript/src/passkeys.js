// Passkeys of a browser, in the JSON form that the server and native apps use.

/**
 * What asks the device for a passkey. Both take the server's `public_key` and return what it takes
 * as `credential`, in JSON. React Native apps pass the functions of a passkey library.
 * @typedef {object} Passkeys
 * @property {(options: Json) => Promise<Json>} create
 * @property {(options: Json, how: PasskeyPrompt) => Promise<Json>} get
 */

/**
 * @typedef {object} PasskeyPrompt
 * @property {CredentialMediationRequirement} [mediation] `conditional`: among a field's suggestions
 * @property {AbortSignal} [signal] ends the prompt
 */

/** @typedef {Record<string, any>} Json */

/**
 * Return the passkeys of a browser.
 * @param {CredentialsContainer} [credentials] default: `navigator.credentials`
 * @returns {Passkeys}
 */
export function browserPasskeys(credentials) {
  const container = () => credentials ?? navigator.credentials;
  return {
    async create(options) {
      const publicKey = /** @type {any} */ ({
        ...options,
        challenge: toBytes(options.challenge),
        user: { ...options.user, id: toBytes(options.user.id) },
        excludeCredentials: options.excludeCredentials?.map(withBytes),
      });
      return toJson(await container().create({ publicKey }));
    },
    async get(options, { mediation, signal }) {
      const publicKey = /** @type {any} */ ({
        ...options,
        challenge: toBytes(options.challenge),
        allowCredentials: options.allowCredentials?.map(withBytes),
      });
      return toJson(await container().get({ publicKey, mediation, signal }));
    },
  };
}

/** @param {Json} descriptor */
function withBytes(descriptor) {
  return { ...descriptor, id: toBytes(descriptor.id) };
}

/**
 * Return a credential as `toJSON()` does, which older browsers lack.
 * @param {any} credential
 * @returns {Json}
 */
function toJson(credential) {
  /** @type {Json} */
  const response = {};
  for (const name of MEMBERS) {
    const value = credential.response[name];
    if (value) response[name] = toText(value);
  }
  const transports = credential.response.getTransports?.();
  if (transports) response.transports = transports;
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  };
}

const MEMBERS = [
  "clientDataJSON",
  "attestationObject",
  "authenticatorData",
  "signature",
  "userHandle",
];

/** @param {string} text base64url */
function toBytes(text) {
  const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** @param {ArrayBuffer} bytes */
function toText(bytes) {
  const binary = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
