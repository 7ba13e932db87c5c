export { Cheershare } from "./client.js";
export { CheershareError, hasCode } from "./errors.js";
export { browserPasskeys } from "./passkeys.js";
export { memoryStorage } from "./store.js";
export { newIdempotencyKey } from "./uploads.js";
