// Ten clients share one storage without locks, against the real server, and stay signed in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStorage } from "../src/index.js";
import { failure, newClient, signedUp } from "./stack.js";

const SESSION = "cheershare.session";
const CLIENTS = 10;
const EXPIRIES = 100;

/** Return a storage that answers a little later, as `AsyncStorage` does, each time differently. */
function slowStorage() {
  const storage = memoryStorage();
  const later = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
  const slow =
    (name) =>
    async (...parameters) => {
      await later();
      return storage[name](...parameters);
    };
  return {
    getItem: slow("getItem"),
    setItem: slow("setItem"),
    removeItem: slow("removeItem"),
    storage,
  };
}

/** Let the stored access token expire: by its time, or in the server's eyes. */
function expire(storage, isSeenByClient) {
  const record = JSON.parse(storage.getItem(SESSION));
  const change = isSeenByClient ? { expires_at: 0 } : { access_token: `${record.access_token}x` };
  storage.setItem(SESSION, JSON.stringify({ ...record, ...change }));
}

test("ten_clients_of_one_storage_over_100_expiries_stay_signed_in", async () => {
  const shared = slowStorage();
  const { client } = await signedUp({ storage: shared });
  const signedOut = [];
  const onSignedOut = (error) => signedOut.push(error);
  let refreshes = 0;
  let abandoned;
  const clients = Array.from({ length: CLIENTS }, (_, index) =>
    newClient({
      storage: shared,
      onSignedOut,
      fetch: async (url, init) => {
        const answer = await fetch(url, init);
        if (!url.endsWith("/refresh")) return answer;
        refreshes++;
        if (index > 0 || refreshes < 30 || abandoned) return answer;
        abandoned = true; // closed in mid-refresh: the server has exchanged, the answer is lost
        return new Promise(() => {});
      },
    }),
  );
  for (let round = 0; round < EXPIRIES; round++) {
    expire(shared.storage, round % 2 === 0);
    const alive = clients.map((one) => one.account.get());
    if (abandoned) alive.shift();
    else alive[0] = Promise.race([alive[0], untilTrue(() => abandoned)]);
    await Promise.all(alive);
  }
  assert.deepEqual(signedOut, []);
  assert.ok(abandoned);
  assert.ok(refreshes >= EXPIRIES, `${refreshes}`);
  const { items } = await client.account.listSessions();
  assert.equal(items.length, 1);
});

async function untilTrue(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("calls_of_one_client_share_one_refresh", async () => {
  const storage = memoryStorage();
  await signedUp({ storage });
  let refreshes = 0;
  const client = newClient({
    storage,
    fetch: (url, init) => {
      if (url.endsWith("/refresh")) refreshes++;
      return fetch(url, init);
    },
  });
  for (const isSeenByClient of [true, false]) {
    expire(storage, isSeenByClient);
    await Promise.all(Array.from({ length: 20 }, () => client.account.get()));
  }
  assert.equal(refreshes, 2);
});

test("refresh_lost_answers_are_repeated", async () => {
  const storage = memoryStorage();
  await signedUp({ storage });
  let lost = 0;
  const client = newClient({
    storage,
    retryDelay: 1,
    fetch: async (url, init) => {
      const answer = await fetch(url, init);
      if (url.endsWith("/refresh") && lost++ < 2) throw new TypeError("fetch failed");
      return answer;
    },
  });
  expire(storage, true);
  assert.ok(await client.account.get());
  assert.equal(lost, 3);
});

test("reused_refresh_token_signs_out_and_says_why", async () => {
  const storage = memoryStorage();
  await signedUp({ storage });
  const copied = storage.getItem(SESSION);
  const signedOut = [];
  const client = newClient({ storage, onSignedOut: (error) => signedOut.push(error.code) });
  for (let round = 0; round < 2; round++) {
    expire(storage, true);
    await client.account.get();
  }
  const thief = memoryStorage();
  thief.setItem(SESSION, JSON.stringify({ ...JSON.parse(copied), expires_at: 0 }));
  assert.equal((await failure(newClient({ storage: thief }).account.get())).code, "refresh_reused");
  assert.equal((await failure(client.account.get())).code, "refresh_invalid");
  assert.deepEqual(signedOut, ["refresh_invalid"]);
  assert.equal(storage.getItem(SESSION), null);
});

test("sign_out_with_refused_access_token_ends_the_session_at_the_server", async () => {
  const storage = memoryStorage();
  const { client } = await signedUp({ storage });
  const copy = memoryStorage();
  copy.setItem(SESSION, storage.getItem(SESSION));
  expire(storage, false);
  await client.auth.signOut();
  assert.equal((await failure(newClient({ storage: copy }).account.get())).code, "refresh_invalid");
});
