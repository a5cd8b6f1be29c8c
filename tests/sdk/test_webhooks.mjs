// tests/sdk/test_webhooks.mjs - what the http connector signs, judged by the reference package.
import assert from "node:assert/strict";
import http from "node:http";

import { Webhook } from "standardwebhooks";

import { eventually } from "./world.mjs";

const NEW = "whsec_wCwLll4COr7oCPK1SNjVGTqLUim+bzEhpvFuLUGkSbM=";
const OLD = "whsec_ThGV3wIN5Z4NZaM6QnnxGD565OXZgOMJ";
const OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

// Keeps what came, byte by byte; the first answer is lost.
async function receiver() {
    const got = [];
    const server = http.createServer((r, answer) => {
        const parts = [];
        r.on("data", (part) => parts.push(part));
        r.on("end", () => {
            got.push({ headers: r.headers, body: Buffer.concat(parts).toString() });
            if (got.length === 1) r.socket.destroy();
            else answer.writeHead(204).end();
        });
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { got, server, url: `http://127.0.0.1:${server.address().port}/in` };
}

const config = (url, more) => `[source forms]
type = zapier
path = /webhooks/zapier
secret = sdk-zapier-secret
[rule any]
when = event.source == "forms"
points = 60
half_life = 30d
[connector out]
type = http
url = ${url}
secret = ${NEW}
secret_previous = ${OLD}
header.X-Team = sales
backoff = 50ms
backoff_max = 100ms
${more}
[route all]
when = score > 0
to = out
`;

async function deliver(world, more) {
    const { got, server, url } = await receiver();
    try {
        await world.startDaemon({ more: config(url, more) });
        const person = { email: "zoë@example.com", firstname: 'Zoë "🚀" <!channel>\r\nX: y' };
        const posted = await world.post(
            JSON.stringify(person),
            { "X-Funneld-Secret": "sdk-zapier-secret" },
            "/webhooks/zapier",
        );
        assert.equal(posted.status, 200, posted.text);
        await eventually("two attempts", () => got.length === 2);
        await eventually("delivered", async () =>
            (await world.command("deliveries", "--state", "delivered")).length,
        );
    } finally {
        server.close();
    }
    return got;
}

function judge(got) {
    for (const { headers, body } of got) {
        for (const secret of [NEW, OLD])
            assert.deepEqual(new Webhook(secret).verify(body, headers), JSON.parse(body), secret);
        assert.throws(() => new Webhook(OTHER).verify(body, headers), /No matching signature/);
        assert.throws(() => new Webhook(NEW).verify(`${body} `, headers), /No matching signature/);
        assert.equal(headers["x-team"], "sales");
        assert.match(headers["webhook-timestamp"], /^\d{10}$/);
    }
    assert.equal(got[0].headers["webhook-id"], got[1].headers["webhook-id"], "the id of a retry");
    assert.equal(got[0].body, got[1].body, "the body of a retry");
}

async function eventsAreVerified(world) {
    const got = await deliver(world, "");
    judge(got);
    const event = JSON.parse(got[1].body);
    assert.match(event.type, /^[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*$/);
    assert.match(event.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    assert.equal(event.data.firstname, 'Zoë "🚀" <!channel>\r\nX: y');
}

async function cloudEventsAreVerified(world) {
    const got = await deliver(world, "format = cloudevents");
    judge(got);
    assert.equal(got[1].headers["content-type"], "application/cloudevents+json; charset=utf-8");
    assert.equal(JSON.parse(got[1].body).id, got[1].headers["webhook-id"]);
}

async function messagesAreVerified(world) {
    judge(await deliver(world, "format = message"));
}

export default {
    "an event is verified by the reference package": eventsAreVerified,
    "a signed CloudEvent is, too": cloudEventsAreVerified,
    "and a message": messagesAreVerified,
};
