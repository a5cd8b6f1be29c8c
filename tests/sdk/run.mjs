// tests/sdk/run.mjs - runs each test of test_*.mjs in a world of its own, says how many passed.
//
//   node run.mjs --bin FUNNELD --sandbox SANDBOX [NAME...]
//
// A runner of our own, because what Node prints for its own differs from version to version.
import { readdir } from "node:fs/promises";
import { parseArgs } from "node:util";

import { World, makeCredentials } from "./world.mjs";

const { values: options, positionals: words } = parseArgs({
    options: { bin: { type: "string" }, sandbox: { type: "string" } },
    allowPositionals: true,
});
if (!options.bin || !options.sandbox) {
    console.error("usage: node run.mjs --bin FUNNELD --sandbox SANDBOX [NAME...]");
    process.exit(2);
}

// A proxy of this machine has no business between two programs on loopback.
for (const name of Object.keys(process.env))
    if (/^(https?|all)_proxy$/i.test(name)) delete process.env[name];

async function find() {
    const found = [];
    for (const file of (await readdir(new URL(".", import.meta.url))).sort()) {
        const subject = /^test_(\w+)\.mjs$/.exec(file)?.[1];
        if (!subject) continue;
        const { default: tests } = await import(`./${file}`);
        for (const [name, run] of Object.entries(tests)) found.push({ subject, name, run });
    }
    return found.filter(
        (t) => !words.length || words.some((w) => `${t.subject}: ${t.name}`.includes(w)),
    );
}

async function problemOf(test) {
    const world = new World(options);
    try {
        await test.run(world);
        return null;
    } catch (e) {
        return `${e?.stack ?? e}\n${await world.logged()}`;
    } finally {
        await world.close();
    }
}

let passed = 0;
let failed = 0;
options.credentials = await makeCredentials(options.sandbox);
try {
    for (const test of await find()) {
        const began = Date.now();
        const problem = await problemOf(test);
        if (problem) failed++;
        else passed++;
        const seconds = ((Date.now() - began) / 1000).toFixed(1);
        console.log(`${problem ? "FAIL" : "ok  "} ${test.subject}: ${test.name} (${seconds} s)`);
        if (problem) console.log(problem.replace(/^/gm, "    "));
    }
} finally {
    await options.credentials.remove();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
