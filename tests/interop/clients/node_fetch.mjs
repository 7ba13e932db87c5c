// Node's fetch (undici): node_fetch.mjs ADDRESS PICTURE DAY GOOD BAD
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const [address, picture, day, good, bad] = process.argv.slice(2);
const url = `${address}/v1/media/creatives`;
const file = new Blob([await readFile(picture)], { type: "image/png" });

async function call(method, token, body) {
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(url, { method, headers, body, signal: AbortSignal.timeout(60_000) });
  await answer.arrayBuffer();
  return answer.status;
}

function form() {
  const fields = new FormData();
  fields.append("file", file, "my photo.png");
  fields.append("scheduled_at", day);
  return fields;
}

console.log("upload", await call("POST", good, form()));
console.log("refused", await call("POST", bad, form()));
console.log("again", await call("POST", good, form()));
console.log("list", await call("GET", good));
await sleep(2000);
console.log("idle", await call("GET", good));
