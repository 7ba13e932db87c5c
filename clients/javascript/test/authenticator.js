// An authenticator in software: it holds one passkey, and speaks JSON as passkey libraries do.

import { createHash, createSign, generateKeyPairSync, randomBytes } from "node:crypto";

const USER_PRESENT_AND_VERIFIED = 0x05;
const ATTESTED = 0x40;
const base64url = (bytes) => Buffer.from(bytes).toString("base64url");
const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

/** Return CBOR of what the authenticator says. Source: RFC 8949 §3. */
function cbor(value) {
  const head = (type, length) =>
    length < 24
      ? [type | length]
      : length < 256
        ? [type | 24, length]
        : [type | 25, length >> 8, length & 255];
  if (typeof value === "number")
    return Buffer.from(value < 0 ? head(0x20, -1 - value) : head(0, value));
  if (typeof value === "string")
    return Buffer.concat([Buffer.from(head(0x60, value.length)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([Buffer.from(head(0x40, value.length)), value]);
  const items = [...value].flatMap(([key, item]) => [cbor(key), cbor(item)]);
  return Buffer.concat([Buffer.from(head(0xa0, value.size)), ...items]);
}

export class Authenticator {
  constructor(origin) {
    this.origin = origin;
    this.id = randomBytes(32);
    this.keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  }

  create = async (options) => {
    this.userHandle = options.user.id;
    const { x, y } = this.keys.publicKey.export({ format: "jwk" });
    // COSE: key type EC2, algorithm ES256, curve P-256. Source: RFC 9053 §7.1
    const key = cbor(
      new Map([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Buffer.from(x, "base64url")],
        [-3, Buffer.from(y, "base64url")],
      ]),
    );
    const attested = Buffer.concat([
      Buffer.alloc(16),
      Buffer.from([0, this.id.length]),
      this.id,
      key,
    ]);
    const authData = this.#data(options.rp.id, USER_PRESENT_AND_VERIFIED | ATTESTED, attested);
    const attestation = new Map([
      ["fmt", "none"],
      ["attStmt", new Map()],
      ["authData", authData],
    ]);
    return this.#credential({
      clientDataJSON: this.#clientData("webauthn.create", options),
      attestationObject: cbor(attestation),
    });
  };

  get = async (options) => {
    const authenticatorData = this.#data(options.rpId, USER_PRESENT_AND_VERIFIED, Buffer.alloc(0));
    const clientDataJSON = this.#clientData("webauthn.get", options);
    const signed = Buffer.concat([authenticatorData, sha256(clientDataJSON)]);
    const signature = createSign("SHA256").update(signed).sign(this.keys.privateKey);
    return this.#credential(
      { clientDataJSON, authenticatorData, signature },
      { userHandle: this.userHandle },
    );
  };

  #clientData(type, { challenge }) {
    return Buffer.from(
      JSON.stringify({ type, challenge, origin: this.origin, crossOrigin: false }),
    );
  }

  #data(rpId, flags, attested) {
    return Buffer.concat([sha256(rpId), Buffer.from([flags, 0, 0, 0, 0]), attested]);
  }

  #credential(response, more = {}) {
    const encoded = Object.entries(response).map(([name, bytes]) => [name, base64url(bytes)]);
    const id = base64url(this.id);
    return {
      id,
      rawId: id,
      type: "public-key",
      clientExtensionResults: {},
      response: { ...Object.fromEntries(encoded), ...more },
    };
  }
}
