// Node's http with a keep-alive agent, as got uses it.
import http from "node:http";
import { day, fileName, serve, timeout } from "./steps.mjs";

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const part = (name, more) =>
  Buffer.from(`--frontier\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`);

function encode({ json, picture, headers }) {
  if (!picture) return Buffer.from(json ?? "");
  headers["Content-Type"] = "multipart/form-data; boundary=frontier";
  return Buffer.concat([
    part("file", `; filename="${fileName}"`),
    picture,
    Buffer.from("\r\n"),
    part("scheduled_at", ""),
    Buffer.from(`${day}\r\n--frontier--\r\n`),
  ]);
}

await serve((request) => {
  const { method, url, headers } = request;
  const body = encode(request);
  if (body.length) headers["Content-Length"] = body.length;
  return new Promise((resolve, reject) => {
    const sent = http.request(url, { method, headers, agent, timeout }, async (answer) => {
      resolve({ status: answer.statusCode, body: Buffer.concat(await answer.toArray()) });
    });
    sent.on("error", reject);
    sent.end(body);
  });
});
agent.destroy();
