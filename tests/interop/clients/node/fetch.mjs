// Node's own fetch.
import { encode, serve, timeout } from "./steps.mjs";

await serve(async (request) => {
  const { method, url, headers } = request;
  const signal = AbortSignal.timeout(timeout);
  const answer = await fetch(url, { method, headers, body: encode(request), signal });
  return { status: answer.status, body: await answer.arrayBuffer() };
});
