// Generates src/api/*.d.ts from docs/openapi/*.json; `--check` fails where a file differs.

import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const OPTIONS = {
  rootTypes: true,
  rootTypesNoSchemaPrefix: true,
  rootTypesKeepCasing: true,
  defaultNonNullable: false,
};

/** Return the types of a service; its errors are left out, because each is a `Problem`. */
async function generateTypes(service) {
  const path = new URL(`../../../docs/openapi/${service}.json`, import.meta.url);
  const document = JSON.parse(await readFile(path, "utf8"));
  for (const operations of Object.values(document.paths)) {
    for (const { responses } of Object.values(operations)) {
      for (const status of Object.keys(responses ?? {})) {
        if (status >= "400") delete responses[status];
      }
    }
  }
  const header = `// Generated from docs/openapi/${service}.json by \`npm run generate\`.\n\n`;
  return header + astToString(await openapiTS(document, OPTIONS));
}

const stale = [];
for (const service of ["auth", "media"]) {
  const path = new URL(`../src/api/${service}.d.ts`, import.meta.url);
  const types = await generateTypes(service);
  if (!process.argv.includes("--check")) await writeFile(path, types);
  else if ((await readFile(path, "utf8").catch(() => "")) !== types) stale.push(service);
}
if (stale.length > 0) {
  console.error(`src/api: ${stale.join(", ")} differs from docs/openapi; run \`npm run generate\``);
  process.exit(1);
}
