// Node's http with a keep-alive agent, under axios and got: node_http.mjs ADDRESS PICTURE DAY GOOD BAD
import { readFile } from "node:fs/promises";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const [address, picture, day, good, bad] = process.argv.slice(2);
const url = `${address}/v1/media/creatives`;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const part = (name, more) =>
  Buffer.from(`--frontier\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`);
const body = Buffer.concat([
  part("file", '; filename="my photo.png"'),
  await readFile(picture),
  Buffer.from("\r\n"),
  part("scheduled_at", ""),
  Buffer.from(`${day}\r\n--frontier--\r\n`),
]);

function call(method, token, data) {
  const headers = { Authorization: `Bearer ${token}` };
  if (data) {
    headers["Content-Type"] = "multipart/form-data; boundary=frontier";
    headers["Content-Length"] = data.length;
  }
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent, timeout: 60_000 }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode));
    });
    request.on("error", reject);
    request.end(data);
  });
}

console.log("upload", await call("POST", good, body));
console.log("refused", await call("POST", bad, body));
console.log("again", await call("POST", good, body));
console.log("list", await call("GET", good));
await sleep(2000);
console.log("idle", await call("GET", good));
agent.destroy();
