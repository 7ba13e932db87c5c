// The checks of `make check-js`: generated types, types, size, and apps that use the package.

import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import ts from "typescript";

const MAX_BYTES = 10_000;
const ROOT = fileURLToPath(new URL("../", import.meta.url));
const TSC = `${ROOT}node_modules/typescript/bin/tsc`;
const APP = [
  ...["--target", "ES2022", "--module", "NodeNext", "--noEmit", "--strict"],
  ...["--allowJs", "--checkJs", "--noImplicitAny", "false"], // the README's app is JavaScript
];

function run(command, parameters, cwd = ROOT) {
  execFileSync(command, parameters, { cwd, stdio: ["ignore", "inherit", "inherit"] });
}

/** Return the size of all sources together, without comments, compressed. */
async function measureSize() {
  const names = (await readdir(`${ROOT}src`)).filter((name) => name.endsWith(".js")).sort();
  const sources = await Promise.all(names.map((name) => readFile(`${ROOT}src/${name}`, "utf8")));
  const compilerOptions = { target: ts.ScriptTarget.ES2022, removeComments: true };
  const texts = sources.map((text) => ts.transpileModule(text, { compilerOptions }).outputText);
  return gzipSync(texts.join("\n"), { level: 9 }).length;
}

/** Compile an app in TypeScript, and the app of the README, against the packed client. */
async function compileApps() {
  const folder = await mkdtemp(`${tmpdir()}/cs-js-`);
  try {
    run("npm", ["pack", "--silent", "--pack-destination", folder]);
    const [tarball] = await readdir(folder);
    run("tar", ["-xzf", tarball], folder);
    await mkdir(`${folder}/node_modules/@cheershare`, { recursive: true });
    await cp(`${folder}/package`, `${folder}/node_modules/@cheershare/client`, { recursive: true });
    const readme = await readFile(`${ROOT}README.md`, "utf8");
    await writeFile(`${folder}/readme.mjs`, /```js\n(.*?)```/s.exec(readme)[1]);
    await cp(`${ROOT}tools/consumer.ts`, `${folder}/consumer.mts`);
    run(process.execPath, [TSC, ...APP, "consumer.mts", "readme.mjs"], folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

run(process.execPath, ["tools/api_types.js", "--check"]);
run(process.execPath, [TSC, "-p", "tsconfig.json"]);
await compileApps();
const bytes = await measureSize();
console.log(`@cheershare/client: ${bytes} bytes compressed, at most ${MAX_BYTES}`);
if (bytes > MAX_BYTES) {
  console.error("the client is too large");
  process.exit(1);
}
