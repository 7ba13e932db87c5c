// The checks of `make check-js`: generated types, types, size, and the declarations that apps compile with.

import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import ts from "typescript";

const MAX_BYTES = 10_000;
const root = new URL("../", import.meta.url);

function run(script, ...parameters) {
  execFileSync(process.execPath, [fileURLToPath(new URL(script, root)), ...parameters], {
    cwd: fileURLToPath(root),
    stdio: "inherit",
  });
}

/** Return the size of all sources together, without comments, compressed. */
async function measure() {
  const names = (await readdir(new URL("src/", root))).filter((name) => name.endsWith(".js"));
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, removeComments: true };
  const sources = await Promise.all(names.sort().map((name) => readFile(new URL(`src/${name}`, root), "utf8")));
  const texts = sources.map((source) => ts.transpileModule(source, { compilerOptions }).outputText);
  return gzipSync(texts.join("\n"), { level: 9 }).length;
}

run("tools/api_types.js", "--check");
run("node_modules/typescript/bin/tsc", "-p", "tsconfig.json");
const bytes = await measure();
console.log(`@cheershare/client: ${bytes} bytes compressed, at most ${MAX_BYTES}`);
if (bytes > MAX_BYTES) {
  console.error("the client is too large");
  process.exit(1);
}
