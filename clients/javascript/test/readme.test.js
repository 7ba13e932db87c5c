// The app code of the README, as it stands there.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { memoryStorage } from "../src/index.js";
import { baseUrl, day, newNumber, picture, readCode } from "./stack.js";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

test("readme_app_signs_in_posts_a_picture_and_signs_out", async (t) => {
  const [, code] = /```js\n(.*?)```/s.exec(await readFile(`${ROOT}README.md`, "utf8"));
  const lines = code.split("\n").filter((line) => line.trim() !== "");
  assert.ok(lines.length <= 20, `${lines.length} lines`);
  const folder = await mkdtemp(`${ROOT}.readme-`); // the package can import itself
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(`${folder}/app.js`, code);
  globalThis.localStorage = memoryStorage();
  const send = globalThis.fetch;
  t.after(() => (globalThis.fetch = send));
  globalThis.fetch = (url, init) => send(url.replace("http://localhost:8000", baseUrl), init);

  const app = await import(pathToFileURL(`${folder}/app.js`));
  const number = newNumber();
  const user = await app.signIn(number, () => readCode(number));
  assert.equal(user.phone_number, number);
  const creative = await app.post(picture(), day(29));
  assert.equal(creative.title, "Good morning");
  assert.equal((await app.postpone(creative.id, day(30))).scheduled_at, `${day(30)}T00:00:00Z`);
  assert.deepEqual(await app.today(), []);
  await app.signOut();
  await assert.rejects(app.today(), { code: "token_missing" });
});
