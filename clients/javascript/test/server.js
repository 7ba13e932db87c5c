// A server in memory, for what a real one cannot be made to do: it answers what a test says.

import { Cheershare, memoryStorage } from "../src/index.js";

export const SESSION = "cheershare.session";
export const user = { id: "u1", name: "Asha" };

/** Return an answer as the services give it. */
export function json(body, status = 200, headers = {}) {
  const type = status < 400 ? "application/json" : "application/problem+json";
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": type, ...headers },
  });
}

export function problem(status, code, more = {}, headers = {}) {
  return json(
    { status, code, title: code, detail: code, request_id: "r-12345678", ...more },
    status,
    headers,
  );
}

export function page(status, text = "<!doctype html><title>Please wait</title>") {
  return new Response(text, { status, headers: { "Content-Type": "text/html" } });
}

export function pair(number, more = {}) {
  return {
    access_token: `access${number}`,
    refresh_token: `refresh${number}`,
    token_type: "Bearer",
    expires_in: 600,
    user,
    device: "device",
    ...more,
  };
}

/**
 * Return a client, its storage, and the requests that it sent. `answer(request, index)` returns a
 * response, or throws what `fetch` throws.
 */
export function scripted(answer, options = {}) {
  const requests = [];
  const storage = options.storage ?? memoryStorage();
  const client = new Cheershare({
    baseUrl: "http://api.example",
    retryDelay: 1,
    ...options,
    storage,
    fetch: async (url, init) => {
      const path = url.slice("http://api.example".length);
      const body = typeof init.body === "string" ? JSON.parse(init.body) : init.body;
      const request = { ...init, path, body };
      requests.push(request);
      return answer(request, requests.length - 1);
    },
  });
  return { client, storage, requests };
}

/** Store a session whose access token has expired (`age` ms ago), or lives for -`age` ms. */
export function signIn(storage, { number = 1, age = -60_000, ...more } = {}) {
  const { access_token, refresh_token } = pair(number);
  const record = { access_token, refresh_token, user, expires_at: Date.now() - age, ...more };
  storage.setItem(SESSION, JSON.stringify(record));
}

export function stored(storage) {
  return JSON.parse(storage.getItem(SESSION));
}
