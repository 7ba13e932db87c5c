import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStorage, newIdempotencyKey } from "../src/index.js";
import { day, failure, newClient, picture, signedUp } from "./stack.js";

test("creative_is_uploaded_changed_read_and_removed", async () => {
  const { client } = await signedUp();
  const uploaded = await client.creatives.upload(picture(), { scheduled_at: day(1), title: "Dot" });
  assert.deepEqual([uploaded.title, uploaded.width], ["Dot", 1]);
  const { today, tomorrow: next } = await client.creatives.schedule();
  assert.deepEqual(
    [...today, ...next].map(({ id }) => id),
    [uploaded.id],
  );
  const read = await client.creatives.get(uploaded.id);
  const changed = await client.creatives.change(read, {
    scheduled_at: day(30),
    timezone: "Asia/Kolkata",
  });
  assert.equal(changed.scheduled_at, `${day(29)}T18:30:00Z`);
  const stale = await failure(client.creatives.change(read, { status: "cancelled" }));
  assert.deepEqual([stale.code, stale.status], ["version_mismatch", 412]);
  assert.equal(stale.problem.current_version, changed.version);
  assert.equal(
    (await client.creatives.change(changed, { status: "cancelled" })).status,
    "cancelled",
  );
  assert.equal((await client.creatives.list({ status: "cancelled" })).items.length, 1);
  assert.equal((await client.creatives.list({ status: "scheduled", limit: 5 })).items.length, 0);

  const blob = await client.creatives.file(uploaded.id, "thumb");
  assert.deepEqual([blob.type, blob.size > 0], ["image/webp", true]);
  const { url } = await client.creatives.createLink(uploaded.id, { expires_in: 60 });
  assert.equal((await fetch(url)).status, 200);
  await client.creatives.remove(uploaded.id);
  assert.equal((await failure(client.creatives.get(uploaded.id))).code, "not_found");
  assert.ok((await client.creatives.listTimezones()).timezones.includes("Asia/Kolkata"));
});

test("upload_with_lost_answer_creates_one_creative", async () => {
  const storage = memoryStorage();
  const { client } = await signedUp({ storage });
  let uploads = 0;
  const keys = new Set();
  const flaky = newClient({
    storage,
    retryDelay: 1,
    fetch: async (url, init) => {
      const answer = await fetch(url, init);
      keys.add(init.headers["Idempotency-Key"]);
      if (uploads++ === 0) throw new TypeError("fetch failed");
      return answer;
    },
  });
  const created = await flaky.creatives.upload(picture(), { scheduled_at: day(1) });
  assert.deepEqual([uploads, keys.size], [2, 1]);
  assert.deepEqual(
    (await client.creatives.list()).items.map(({ id }) => id),
    [created.id],
  );
});

test("upload_repeated_by_the_app_with_its_key_creates_one_creative", async () => {
  const { client } = await signedUp();
  const idempotencyKey = newIdempotencyKey();
  const upload = () =>
    client.creatives.upload(picture(), { scheduled_at: day(1) }, { idempotencyKey });
  assert.equal((await upload()).id, (await upload()).id);
  const other = client.creatives.upload(picture(), { scheduled_at: day(2) }, { idempotencyKey });
  assert.equal((await failure(other)).code, "idempotency_mismatch");
});

test("upload_that_is_aborted_creates_nothing", async () => {
  const { client } = await signedUp();
  const signal = AbortSignal.abort(new Error("cancelled by the user"));
  const upload = client.creatives.upload(picture(), { scheduled_at: day(1) }, { signal });
  assert.equal((await failure(upload)).message, "cancelled by the user");
  assert.equal((await client.creatives.list()).items.length, 0);
});

test("refused_picture_says_why", async () => {
  const { client } = await signedUp();
  const text = new File(["hello"], "photo.jpg", { type: "image/jpeg" });
  const error = await failure(client.creatives.upload(text, { scheduled_at: day(1) }));
  assert.deepEqual([error.code, error.status], ["unsupported_image", 415]);
  const past = await failure(client.creatives.upload(picture(), { scheduled_at: "2020-01-01" }));
  assert.equal(past.code, "scheduled_in_past");
});

test("product_is_offered_found_changed_and_removed", async () => {
  const { client } = await signedUp();
  const word = newIdempotencyKey().slice(-8);
  const fields = { name: `Mug ${word}`, price: 3_000_000_000, currency: "INR" };
  const created = await client.products.create(fields);
  assert.deepEqual([created.price, created.photo_url], [3_000_000_000, null]);
  const withPhoto = await client.products.create({ ...fields, visibility: "hidden" }, picture());
  assert.equal((await client.products.list()).items.length, 2);
  const found = await newClient().products.search({ q: word });
  assert.deepEqual(
    found.items.map(({ id }) => id),
    [created.id],
  );
  await client.products.putPhoto(created.id, picture());
  const pictured = await client.products.get(created.id);
  assert.equal((await newClient().products.photo(created.id, "thumb")).type, "image/webp");
  assert.equal((await client.products.change(pictured, { price: 1 })).price, 1);
  await client.products.remove(withPhoto.id);
  assert.equal((await failure(client.products.get(withPhoto.id))).code, "not_found");
});

test("webhook_is_created_tested_changed_and_removed", async () => {
  const { client } = await signedUp();
  const body = { url: "http://127.0.0.1:9/hook", events: ["creative.due"], description: "shop" };
  const created = await client.webhooks.create(body);
  assert.match(created.secret, /^whsec_/);
  assert.notEqual(await client.webhooks.rotateSecret(created.id), created.secret);
  const { delivery_id } = await client.webhooks.test(created.id);
  const { items } = await client.webhooks.listDeliveries(created.id, { event: "webhook.test" });
  assert.deepEqual(
    items.map(({ id }) => id),
    [delivery_id],
  );
  await client.webhooks.redeliver(created.id, delivery_id);
  await client.webhooks.redeliverFailed(created.id, new Date(Date.now() - 60_000).toISOString());
  assert.equal(
    (await client.webhooks.change(created.id, { status: "disabled" })).status,
    "disabled",
  );
  assert.equal((await client.webhooks.get(created.id)).description, "shop");
  assert.equal((await client.webhooks.list()).items.length, 1);
  await client.webhooks.remove(created.id);
  assert.equal((await client.webhooks.list()).items.length, 0);
});
