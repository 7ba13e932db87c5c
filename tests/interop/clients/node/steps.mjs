// What the Node clients share. The lines are described in ../python/steps.py.
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

export const day = process.argv[2];
export const fileName = "my photo.png";
export const timeout = 60_000;

/** Sends each request as it comes: `send` resolves to `{ status, body }`. */
export async function serve(send) {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line) {
      const [method, url, token, data] = line.split("\t");
      const headers = token ? { Authorization: `Bearer ${token}` } : {};
      if (data.startsWith("{")) headers["Content-Type"] = "application/json";
      const picture = data.startsWith("/") ? await readFile(data) : undefined;
      const json = picture ? undefined : data || undefined;
      const { status, body } = await send({ method, url, headers, json, picture });
      console.log(JSON.stringify({ status, body: Buffer.from(body).toString("base64") }));
    }
  }
}

/** The body for a client that knows FormData. `Form` is the client's own class. */
export function encode({ json, picture }, Form = FormData) {
  if (!picture) return json;
  const form = new Form();
  form.append("file", new Blob([picture], { type: "image/png" }), fileName);
  form.append("scheduled_at", day);
  return form;
}
