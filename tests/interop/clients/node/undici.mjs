// undici's request, with one connection to each address.
import { Agent, FormData, request as send } from "undici";
import { encode, serve, timeout } from "./steps.mjs";

const dispatcher = new Agent({ connections: 1, headersTimeout: timeout, bodyTimeout: timeout });

await serve(async (request) => {
  const { method, url, headers } = request;
  const body = encode(request, FormData);
  const answer = await send(url, { method, headers, body, dispatcher });
  return { status: answer.statusCode, body: await answer.body.arrayBuffer() };
});
