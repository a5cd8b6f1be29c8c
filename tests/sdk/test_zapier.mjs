// tests/sdk/test_zapier.mjs - the app of config/zapier, judged by Zapier's own packages: its form by
// zapier-platform-schema, as the core calls it, its life by zapier-platform-core, against the daemon.
import assert from "node:assert/strict";
import { Module, createRequire } from "node:module";

import { eventually, request } from "./world.mjs";

// The app stands outside of this folder and asks for the package by its name.
process.env.NODE_ENV ??= "test"; // else the core prints its memory at each call
process.env.NODE_PATH = new URL("node_modules", import.meta.url).pathname;
Module._initPaths();

const require = createRequire(import.meta.url);
const core = require("zapier-platform-core");
const { compileApp, validateApp } = require("zapier-platform-core/src/tools/schema");
const App = require("../../config/zapier");

const TOKEN = "sdk-hooks-token";
const SOURCE_SECRET = "sdk-zapier-secret";
const STANDARD = "/hooks/standard/1234567/";

async function theDefinitionIsValid() {
    assert.deepEqual(validateApp(compileApp(App)), []);
    assert.equal(App.platformVersion, require("../../config/zapier/package.json").dependencies[
        "zapier-platform-core"
    ]);
    for (const { operation } of Object.values(App.triggers)) {
        const keys = operation.outputFields.map((f) => f.key);
        assert.deepEqual(Object.keys(operation.sample), keys, "sample and fields");
    }
}

// The same judge finds what is wrong: else it would judge nothing.
async function aBrokenDefinitionIsNot() {
    const broken = { ...App, triggers: { x: { ...App.triggers.lead_hot, noun: undefined } } };
    assert.ok(validateApp(compileApp(broken)).length > 0);
}

const CONFIG = (world) => `[source forms]
type = zapier
path = /webhooks/zapier
secret = ${SOURCE_SECRET}
[score]
hot = 50
[rule asked]
when = event.type == "demo.asked"
points = 60
half_life = 30d
[connector subscribers]
type = rest_hooks
allow = 127.0.0.1
backoff = 50ms
backoff_max = 1s
[route hot-lead]
when = score >= 50 and score.previous < 50
to = subscribers
[route lead-changed]
when = score != score.previous
to = subscribers
`;

async function start(world) {
    await world.startSandbox();
    await world.startDaemon({ hooks: `hooks_token = ${TOKEN}\n`, more: CONFIG(world) });
    return core.createAppTester(App);
}

const auth = (world, more = {}) => ({
    base_url: `http://127.0.0.1:${world.port}/`,
    hooks_token: TOKEN,
    source_path: "/webhooks/zapier",
    source_secret: SOURCE_SECRET,
    ...more,
});

const target = (world, zap) => `${world.sandboxUrl}${STANDARD}${zap}/`;

const received = async (world, zap) =>
    (await world.control("GET", "state")).hooks.received.filter(
        (r) => r.path === `${STANDARD}${zap}/`,
    );

const { lead_hot: hot, lead_changed: changed } = App.triggers;
const { send_event: send } = App.creates;

const sendEvent = (app, world, inputData) =>
    app(send.operation.perform, { authData: auth(world), inputData });

async function theConnectionIsTested(world) {
    const app = await start(world);
    assert.deepEqual(await app(App.authentication.test, { authData: auth(world) }), {});
    assert.equal(
        await app(App.authentication.connectionLabel, { authData: auth(world) }),
        `127.0.0.1:${world.port}`,
    );
    await assert.rejects(
        app(App.authentication.test, { authData: auth(world, { hooks_token: "wrong" }) }),
        /Send the hooks token/,
    );
}

async function aZapLivesAndDies(world) {
    const app = await start(world);
    const authData = auth(world);
    const on = { authData, targetUrl: target(world, "hot"), inputData: { route: "hot-lead" } };
    const subscribeData = await app(hot.operation.performSubscribe, on);
    assert.match(subscribeData.id, /^[0-9a-f]{32}$/);
    await app(changed.operation.performSubscribe, { authData, targetUrl: target(world, "changed") });

    const sent = await sendEvent(app, world, {
        email: "zoë@example.com",
        event_type: "demo.asked",
        event_id: "1",
        properties: { company: "Müller & Söhne", email: "not@example.com" },
    });
    assert.equal(sent.accepted, 1);
    assert.ok(sent.id, "an id for Zapier");
    const [got] = await eventually("a delivery", async () => {
        const all = await received(world, "hot");
        return all.length && all;
    });
    const bundle = { authData, inputData: {}, subscribeData, cleanedRequest: got.body };
    const [lead] = await app(hot.operation.perform, bundle);
    assert.deepEqual(Object.keys(lead), hot.operation.outputFields.map((f) => f.key));
    assert.equal(lead.event, "lead.hot");
    assert.equal(lead.email, "zoë@example.com");
    assert.equal(lead.company, "Müller & Söhne");
    assert.equal(lead.score, 60);
    await eventually("the other trigger", async () => (await received(world, "changed")).length);

    const samples = await app(hot.operation.performList, { authData, inputData: {} });
    assert.equal(samples.length, 1);
    assert.deepEqual({ ...samples[0], id: "" }, { ...lead, id: "" });

    await app(hot.operation.performUnsubscribe, { authData, subscribeData });
    await app(hot.operation.performUnsubscribe, { authData, subscribeData }); // as well
    await sendEvent(app, world, { email: "bob@example.com", event_type: "demo.asked" });
    await eventually("the other trigger", async () => (await received(world, "changed")).length === 2);
    assert.equal((await received(world, "hot")).length, 1);
    await world.noOffence();
}

async function theEditorTriesItOut(world) {
    const app = await start(world);
    const authData = auth(world);
    const targetUrl = "https://hooks.zapier.com/fake-subscription-url";
    await assert.rejects(
        app(hot.operation.performSubscribe, { authData, targetUrl, inputData: { route: "nope" } }),
        /There is no route nope to subscribe to. There are: hot-lead, lead-changed./,
    );
    assert.deepEqual(await app(hot.operation.performList, { authData, inputData: {} }), []);
    assert.deepEqual(
        await app(hot.operation.performUnsubscribe, { authData, subscribeData: {} }),
        {},
    );
}

async function a410EndsTheSubscription(world) {
    const app = await start(world);
    const authData = auth(world);
    await app(hot.operation.performSubscribe, { authData, targetUrl: target(world, "off") });
    await world.fault({ path: STANDARD, mode: "status", status: 410 });
    await sendEvent(app, world, { email: "a@example.com", event_type: "demo.asked" });
    await eventually("a dead delivery", async () =>
        (await world.command("deliveries", "--state", "dead")).length,
    );
    await sendEvent(app, world, { email: "b@example.com", event_type: "demo.asked" });
    assert.equal((await world.command("deliveries")).length, 1);
    assert.equal((await received(world, "off")).length, 0);
}

async function mistakesAreSaidInWords(world) {
    const app = await start(world);
    await assert.rejects(
        app(send.operation.perform, {
            authData: auth(world, { source_secret: "wrong" }),
            inputData: { email: "a@example.com" },
        }),
        /signature or secret is missing, wrong/,
    );
    await assert.rejects(
        app(send.operation.perform, {
            authData: auth(world, { source_path: "/nothing" }),
            inputData: { email: "a@example.com" },
        }),
        /There is nothing at this path/,
    );
    const answer = await request(world.port, { target: "/hooks/sample" });
    assert.equal(answer.status, 401, "without a token");
}

export default {
    "the app is what Zapier's schema wants": theDefinitionIsValid,
    "a broken app is not": aBrokenDefinitionIsNot,
    "a connection is tested and labelled": theConnectionIsTested,
    "a Zap is switched on, runs, and is switched off": aZapLivesAndDies,
    "an editor tries a trigger out": theEditorTriesItOut,
    "410 ends a subscription": a410EndsTheSubscription,
    "mistakes are said in funneld's words": mistakesAreSaidInWords,
};
