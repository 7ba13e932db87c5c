// axios on Node's http, with a keep-alive agent.
import http from "node:http";
import axios from "axios";
import { encode, serve, timeout } from "./steps.mjs";

const client = axios.create({
  httpAgent: new http.Agent({ keepAlive: true, maxSockets: 1 }),
  responseType: "arraybuffer",
  timeout,
  validateStatus: () => true,
});

await serve(async (request) => {
  const { method, url, headers } = request;
  const { status, data } = await client.request({ method, url, headers, data: encode(request) });
  return { status, body: data };
});
