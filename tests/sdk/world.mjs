// tests/sdk/world.mjs - a folder, a daemon, a sandbox and the vendors' clients pointed at them.
//
// All on 127.0.0.1. A child is ended only by its own id.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

export const SECRET = "sdk-client-secret";
export const OLD_SECRET = "sdk-client-secret-before";
export const PUBLIC_URL = "https://hooks.example.com";
export const HOOK = "/webhooks/hubspot";
export const PORTAL = 242711451;
export const CHANNEL = "C0123456789";
export const DATABASE = "668d797c76fa49349b05ad288df2d136";
export const SPREADSHEET = "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms";

async function newFolder() {
    return mkdtemp(path.join(os.tmpdir(), "funneld-sdk-"));
}

// One service account for the whole run: its key is expensive.
export async function makeCredentials(sandbox) {
    const folder = await newFolder();
    const file = path.join(folder, "service-account.json");
    await run(sandbox, ["--make-credentials", file]);
    return {
        file,
        account: JSON.parse(await readFile(file, "utf8")),
        remove: () => rm(folder, { recursive: true }),
    };
}

export async function freePort() {
    return new Promise((resolve, reject) => {
        const server = net.createServer();
        server.once("error", reject);
        server.listen(0, "127.0.0.1", () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

export async function eventually(what, condition, seconds = 20) {
    const end = Date.now() + seconds * 1000;
    for (;;) {
        const value = await condition();
        if (value) return value;
        assert.ok(Date.now() < end, `${what} within ${seconds} s`);
        await new Promise((resolve) => setTimeout(resolve, 25));
    }
}

// One request with exactly these bytes and headers.
export async function request(port, { method = "GET", target = "/", headers = {}, body = "" }) {
    const bytes = Buffer.from(body);
    return new Promise((resolve, reject) => {
        const fields = method === "GET" ? headers : { ...headers, "Content-Length": bytes.length };
        const r = http.request(
            { host: "127.0.0.1", port, method, path: target, headers: fields },
            (answer) => {
                const parts = [];
                answer.on("data", (part) => parts.push(part));
                answer.on("end", () => {
                    const text = Buffer.concat(parts).toString();
                    resolve({
                        status: answer.statusCode,
                        headers: answer.headers,
                        text,
                        json: () => JSON.parse(text),
                    });
                });
                answer.on("error", reject);
            },
        );
        r.on("error", reject);
        r.end(bytes);
    });
}

class Child {
    constructor(argv, log, env) {
        this.logPath = log;
        this.log = createWriteStream(log, { flags: "a" });
        this.process = spawn(argv[0], argv.slice(1), { stdio: ["ignore", "pipe", "pipe"], env });
        this.process.stderr.pipe(this.log);
        this.failure = null;
        this.ended = new Promise((resolve) => {
            this.process.once("error", (e) => {
                this.failure = e;
                resolve(null);
            });
            this.process.once("exit", resolve);
        });
        this.over = false;
        this.ended.then(() => (this.over = true));
    }

    async end() {
        if (!this.over) this.process.kill("SIGTERM");
        const late = setTimeout(() => this.process.kill("SIGKILL"), 20000);
        const status = await this.ended;
        clearTimeout(late);
        return status;
    }

    async logged() {
        return readFile(this.logPath, "utf8");
    }
}

export class World {
    constructor(options) {
        this.options = options;
        this.account = options.credentials.account;
        this.env = {
            ...process.env,
            HUBSPOT_CLIENT_SECRET: SECRET,
            HUBSPOT_OLD_SECRET: OLD_SECRET,
        };
        delete this.env.PORT;
    }

    async makeFolder() {
        this.folder ??= await newFolder();
        return this.folder;
    }

    // the sandbox

    async startSandbox() {
        const folder = await this.makeFolder();
        const argv = [
            this.options.sandbox,
            "--port",
            "0",
            "--credentials",
            this.options.credentials.file,
        ];
        this.sandbox = new Child(argv, path.join(folder, "sandbox.log"), this.env);
        const lines = readline.createInterface({ input: this.sandbox.process.stdout });
        const line = await Promise.race([
            new Promise((resolve) => lines.once("line", resolve)),
            this.sandbox.ended.then(() => "nothing"),
        ]);
        assert.match(line, /^listening on \d+$/, "the sandbox's first line");
        this.sandboxPort = Number(line.split(" ").pop());
        this.sandboxUrl = `http://127.0.0.1:${this.sandboxPort}`;
    }

    async control(method, what, value) {
        const answer = await request(this.sandboxPort, {
            method,
            target: `/_sandbox/${what}`,
            headers: { "Content-Type": "application/json" },
            body: value === undefined ? "" : JSON.stringify(value),
        });
        assert.equal(answer.status, 200, `sandbox ${what}: ${answer.text}`);
        return answer.json();
    }

    async fault(order) {
        await this.control("POST", "fail", order);
    }

    async contacts(list) {
        await this.control("POST", "contacts", list);
    }

    async offences() {
        return (await this.control("GET", "state")).offences;
    }

    // Whoever judges the sandbox asks this last: all that came was as the contract wants it.
    async noOffence() {
        assert.deepEqual(await this.offences(), [], "the sandbox's offences");
    }

    // the daemon

    async startDaemon({ hooks = "", hubspot = "", more = "" } = {}) {
        const folder = await this.makeFolder();
        this.port = await freePort();
        const admin = await freePort();
        this.config = path.join(folder, "funneld.conf");
        await writeFile(
            this.config,
            `[server]
listen = 127.0.0.1:${this.port}
public_url = ${PUBLIC_URL}
${hooks}[admin]
listen = 127.0.0.1:${admin}
[store]
path = ${path.join(folder, "funneld.db")}
[source hubspot]
type = hubspot
path = ${HOOK}
secret = \${HUBSPOT_CLIENT_SECRET}
secret_previous = \${HUBSPOT_OLD_SECRET}
${hubspot}
${more}`,
        );
        const argv = [this.options.bin, "-c", this.config, "serve"];
        this.daemon = new Child(argv, path.join(folder, "daemon.log"), this.env);
        await eventually("funneld is ready", async () => {
            if (this.daemon.over)
                throw this.daemon.failure ?? new Error("funneld ended at its start");
            try {
                return (await request(admin, { target: "/readyz" })).status === 200;
            } catch {
                return false;
            }
        });
    }

    async post(body, headers, target = HOOK) {
        const fields = { "Content-Type": "application/json", ...headers };
        return request(this.port, { method: "POST", target, headers: fields, body });
    }

    // A command of the binary; its JSON as text, because JSON.parse rounds long integers.
    async text(...argv) {
        const how = { env: this.env, maxBuffer: 64 << 20 };
        return (await run(this.options.bin, ["-c", this.config, ...argv, "--json"], how)).stdout;
    }

    // The same, its lines parsed.
    async command(...argv) {
        return (await this.text(...argv))
            .split("\n")
            .filter(Boolean)
            .map((line) => JSON.parse(line));
    }

    async logged() {
        let text = "";
        for (const child of [this.daemon, this.sandbox].filter(Boolean))
            text += `--- ${path.basename(child.logPath)}\n${(await child.logged()).slice(-4000)}`;
        return text;
    }

    async close() {
        for (const child of [this.daemon, this.sandbox]) await child?.end();
        if (this.folder) await rm(this.folder, { recursive: true });
    }
}
