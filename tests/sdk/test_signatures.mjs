// tests/sdk/test_signatures.mjs - HubSpot's own package signs for funneld and checks what it signs.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { Signature } from "@hubspot/api-client";

import { HOOK, OLD_SECRET, PORTAL, PUBLIC_URL, SECRET } from "./world.mjs";

const VERSIONS = ["v1", "v2", "v3"];
const MINUTE = 60 * 1000;

// What HubSpot sends with a body: the header names are its documentation's, the rest its package's.
function sign(version, body, how = {}) {
    const {
        url = PUBLIC_URL + HOOK,
        secret = SECRET,
        method = "POST",
        timestamp = Date.now(),
    } = how;
    const signature = Signature.getSignature(method, version, {
        clientSecret: secret,
        requestBody: body,
        url,
        timestamp,
    });
    if (version !== "v3")
        return { "X-HubSpot-Signature": signature, "X-HubSpot-Signature-Version": version };
    return {
        "X-HubSpot-Signature-v3": signature,
        "X-HubSpot-Request-Timestamp": String(timestamp),
    };
}

// The package's own verdict about a request.
function isValid(version, body, headers, how = {}) {
    const { url = PUBLIC_URL + HOOK, secret = SECRET } = how;
    return Signature.isValid({
        signatureVersion: version,
        signature: headers[version === "v3" ? "X-HubSpot-Signature-v3" : "X-HubSpot-Signature"],
        clientSecret: secret,
        requestBody: body,
        url,
        method: "POST",
        timestamp: Number(headers["X-HubSpot-Request-Timestamp"]),
    });
}

let clock = Date.now() - 60 * MINUTE;

// Every call is another fact, so that nothing is a duplicate.
function event(more = {}) {
    return {
        eventId: 3816279340,
        subscriptionId: 4578255,
        portalId: PORTAL,
        appId: 19635961,
        occurredAt: ++clock,
        subscriptionType: "contact.propertyChange",
        attemptNumber: 0,
        objectId: 267448862446,
        propertyName: "company",
        propertyValue: "Analytical Engines",
        changeSource: "CRM_UI",
        ...more,
    };
}

const UNICODE = 'Zoë Ångström 数学 🚀 \u2028 "\\/ é <!channel> =1+1';

const hex4 = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
const escaped = (text) => text.replace(/[^\x20-\x7e]/g, hex4);

// Bodies as text: what is signed are bytes, not their meaning.
const SHAPES = {
    "one event": () => [JSON.stringify([event()]), 1],
    "a full batch": () => [JSON.stringify(Array.from({ length: 100 }, () => event())), 100],
    "the sample of the documentation": () => [
        `[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":${++clock},` +
            `"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,` +
            `"changeSource":"CRM","changeFlag":"NEW","appId":54321}]`,
        1,
    ],
    "beyond ASCII": () => [JSON.stringify([event({ propertyValue: UNICODE })]), 1],
    "escaped instead": () => [
        escaped(JSON.stringify([event({ propertyValue: UNICODE })])).replaceAll("/", "\\/"),
        1,
    ],
    "blanks and line ends": () => [`\r\n${JSON.stringify([event(), event()], null, "\t")} \n`, 2],
    "ids of 64 bits": () => [
        JSON.stringify([event({ objectId: "OBJECT", eventId: "EVENT" })])
            .replace('"OBJECT"', "9223372036854775807")
            .replace('"EVENT"', "9007199254740993"),
        1,
    ],
    "a value in base64": () => [
        JSON.stringify([event({ propertyValue: "+/+/8J+agA==&a=%2F" })]),
        1,
    ],
    "generic, merged, associated": () => [
        JSON.stringify([
            event({ subscriptionType: "object.propertyChange", objectTypeId: "0-1" }),
            event({
                subscriptionType: "contact.merge",
                primaryObjectId: 267448862446,
                mergedObjectIds: [267448862447, 267448862448],
                newObjectId: 267448862449,
                numberOfPropertiesMoved: 3,
            }),
            event({
                subscriptionType: "contact.associationChange",
                associationType: "CONTACT_TO_COMPANY",
                fromObjectId: 267448862446,
                toObjectId: 1,
                associationRemoved: false,
                isPrimaryAssociation: true,
            }),
            event({
                subscriptionType: "conversation.newMessage",
                messageId: "m1",
                messageType: "MESSAGE",
            }),
            event({ subscriptionType: "deal.creation", objectId: 9 }),
        ]),
        5,
    ],
    "a field nobody knows": () => [
        JSON.stringify([event({ somethingNew: { deep: [1, null] } })]),
        1,
    ],
};

async function accepted(answer, n, what) {
    assert.equal(answer.status, 200, `${what}: ${answer.text}`);
    const { accepted, duplicates, unprocessable } = answer.json();
    assert.deepEqual(
        { accepted, duplicates, unprocessable },
        { accepted: n, duplicates: 0, unprocessable: 0 },
        what,
    );
}

async function everyShapeIsAccepted(world) {
    await world.startDaemon();
    let stored = 0;
    for (const version of VERSIONS)
        for (const [shape, make] of Object.entries(SHAPES)) {
            const [body, n] = make();
            await accepted(await world.post(body, sign(version, body)), n, `${version}, ${shape}`);
            stored += n;
        }
    const events = await world.command("events", "--limit", "1000");
    const told = events.filter((e) => e.type === "company.associationChange"); // the contact's own
    assert.equal(events.length - told.length, stored, "events stored");
    assert.equal(told.length, VERSIONS.length, "a contact is told of its company");
}

async function bigIdsStayExact(world) {
    await world.startDaemon();
    const [body] = SHAPES["ids of 64 bits"]();
    await accepted(await world.post(body, sign("v3", body)), 1, "the event");
    const [listed] = await world.command("events");
    const text = await world.text("events", "show", listed.id);
    for (const id of ['"objectId":9223372036854775807', '"eventId":9007199254740993'])
        assert.ok(text.includes(id), `${id} in ${text}`);
    const [lead] = await world.command("leads", "show", `${PORTAL}:9223372036854775807`);
    assert.equal(lead.crm_id, "9223372036854775807", "crm_id");
}

async function unicodeComesThrough(world) {
    await world.startDaemon();
    for (const [objectId, write] of [
        [1, (text) => text],
        [2, escaped],
    ]) {
        const body = write(JSON.stringify([event({ objectId, propertyValue: UNICODE })]));
        await accepted(await world.post(body, sign("v3", body)), 1, body);
        const [lead] = await world.command("leads", "show", `${PORTAL}:${objectId}`);
        assert.equal(lead.properties.company.value, UNICODE, body);
    }
}

async function v1AndV3TogetherAreAccepted(world) {
    await world.startDaemon();
    const body = JSON.stringify([event()]);
    await accepted(await world.post(body, { ...sign("v1", body), ...sign("v3", body) }), 1, "both");
}

async function theQueryIsSignedToo(world) {
    await world.startDaemon();
    const target = `${HOOK}?portal=1&name=a%20b%26c`;
    for (const version of ["v2", "v3"]) {
        const body = JSON.stringify([event()]);
        const headers = sign(version, body, { url: PUBLIC_URL + target });
        await accepted(await world.post(body, headers, target), 1, version);
        assert.equal((await world.post(body, headers)).status, 401, `${version}, query left out`);
    }
}

async function theSecretBeforeIsAccepted(world) {
    await world.startDaemon();
    for (const version of VERSIONS) {
        const body = JSON.stringify([event()]);
        await accepted(
            await world.post(body, sign(version, body, { secret: OLD_SECRET })),
            1,
            version,
        );
    }
}

const flip = (text) => (text[0] === "A" ? "B" : "A") + text.slice(1);
const withSignature = (change) => (version, body) => {
    const headers = sign(version, body);
    const name = version === "v3" ? "X-HubSpot-Signature-v3" : "X-HubSpot-Signature";
    return [body, { ...headers, [name]: change(headers[name]) }];
};
const signedFor = (how) => (version, body) => [body, sign(version, body, how())];

// Each makes [body, headers]. v1 covers neither method nor URL nor time.
const TAMPERED = [
    { name: "another secret", versions: VERSIONS, make: signedFor(() => ({ secret: "other" })) },
    { name: "an empty secret", versions: VERSIONS, make: signedFor(() => ({ secret: "" })) },
    {
        name: "another value in the body",
        versions: VERSIONS,
        make: (v, body) => [body.replace("Analytical", "Analytic"), sign(v, body)],
    },
    { name: "a blank more", versions: VERSIONS, make: (v, body) => [`${body} `, sign(v, body)] },
    {
        name: "the body written anew",
        versions: VERSIONS,
        make: (v, body) => [JSON.stringify(JSON.parse(body), null, 1), sign(v, body)],
    },
    { name: "one character of the signature", versions: VERSIONS, make: withSignature(flip) },
    { name: "the signature cut", versions: VERSIONS, make: withSignature((s) => s.slice(0, -1)) },
    { name: "the signature twice over", versions: VERSIONS, make: withSignature((s) => s + s) },
    { name: "upper-case hex", versions: ["v1", "v2"], make: withSignature((s) => s.toUpperCase()) },
    {
        name: "hex instead of base64",
        versions: ["v3"],
        make: withSignature((s) => Buffer.from(s, "base64").toString("hex")),
    },
    {
        name: "base64 for URLs",
        versions: ["v3"],
        make: withSignature((s) => Buffer.from(s, "base64").toString("base64url")),
    },
    {
        name: "the inner URL",
        versions: ["v2", "v3"],
        make: signedFor(() => ({ url: `http://127.0.0.1${HOOK}` })),
    },
    {
        name: "http instead of https",
        versions: ["v2", "v3"],
        make: signedFor(() => ({ url: PUBLIC_URL.replace("https", "http") + HOOK })),
    },
    {
        name: "a slash more",
        versions: ["v2", "v3"],
        make: signedFor(() => ({ url: `${PUBLIC_URL}${HOOK}/` })),
    },
    { name: "another method", versions: ["v2", "v3"], make: signedFor(() => ({ method: "GET" })) },
    {
        name: "a timestamp of long ago",
        versions: ["v3"],
        make: signedFor(() => ({ timestamp: Date.now() - 5 * MINUTE - 1000 })),
    },
    {
        name: "a timestamp made newer",
        versions: ["v3"],
        make: (v, body) => [
            body,
            {
                ...sign(v, body, { timestamp: Date.now() - 10 * MINUTE }),
                "X-HubSpot-Request-Timestamp": String(Date.now()),
            },
        ],
    },
];

function refusedByThePackage(version, body, headers) {
    try {
        return !isValid(version, body, headers);
    } catch {
        return true; // how it refuses a timestamp
    }
}

async function bothRefuseTheSame(world) {
    await world.startDaemon();
    for (const { name, versions, make } of TAMPERED)
        for (const version of versions) {
            const [body, headers] = make(version, JSON.stringify([event()]));
            const answer = await world.post(body, headers);
            assert.ok(
                refusedByThePackage(version, body, headers),
                `the package: ${version}, ${name}`,
            );
            assert.equal(answer.status, 401, `${version}, ${name}: ${answer.text}`);
            assert.match(answer.headers["content-type"], /^application\/problem\+json/, name);
        }
    assert.deepEqual(await world.command("events"), [], "events stored");
}

// What the package lets through, and design.md does not.
async function funneldIsStricter(world) {
    await world.startDaemon();
    const body = JSON.stringify([event()]);
    const later = sign("v3", body, { timestamp: Date.now() + 6 * MINUTE });
    assert.ok(isValid("v3", body, later), "the package accepts a timestamp of the future");
    const odd = sign("v3", body, { timestamp: "soon" });
    for (const [name, headers] of Object.entries({
        "a timestamp of the future": later,
        "a timestamp that is none": odd,
        "v3 wrong beside a right v1": {
            ...sign("v1", body),
            ...sign("v3", body, { secret: "other" }),
        },
        "no signature": {},
        "v3 without its timestamp": {
            "X-HubSpot-Signature-v3": sign("v3", body)["X-HubSpot-Signature-v3"],
        },
        "a signature twice": {
            ...sign("v1", body),
            "X-HubSpot-Signature": Array(2).fill(sign("v1", body)["X-HubSpot-Signature"]),
        },
    })) {
        const answer = await world.post(body, headers);
        assert.equal(answer.status, 401, `${name}: ${answer.text}`);
    }
    assert.deepEqual(await world.command("events"), [], "events stored");
}

async function v1AndV2AreRefusedWhereV3IsRequired(world) {
    await world.startDaemon({ hubspot: "require = v3" });
    for (const version of VERSIONS) {
        const body = JSON.stringify([event()]);
        const { status } = await world.post(body, sign(version, body));
        assert.equal(status, version === "v3" ? 200 : 401, version);
    }
}

async function whatSignPrintsIsValid(world) {
    await world.startDaemon();
    const file = path.join(world.folder, "body.json");
    for (const version of VERSIONS) {
        const bodies = [null, ...Object.values(SHAPES).map((make) => make()[0])];
        for (const body of bodies) {
            const argv = ["sign", "hubspot", "--version", version];
            if (body !== null) {
                await writeFile(file, body);
                argv.push("--body", file);
            }
            const [made] = await world.command(...argv);
            const what = `${version}, ${body === null ? "the sample" : body.slice(0, 60)}`;
            assert.equal(made.method, "POST", what);
            assert.equal(made.url, PUBLIC_URL + HOOK, what);
            if (body !== null) assert.equal(made.body, body, `${what}: the body, byte by byte`);
            assert.ok(isValid(version, made.body, made.headers), `${what}: the package`);
            assert.ok(
                refusedByThePackage(version, flip(made.body), made.headers),
                `${what}: the package, another body`,
            );
        }
    }
}

async function whatSignPrintsIsAccepted(world) {
    await world.startDaemon();
    const base = `http://127.0.0.1:${world.port}`;
    for (const version of VERSIONS) {
        const [made] = await world.command("sign", "hubspot", "--version", version, "--url", base);
        assert.equal(made.url, base + HOOK, version);
        assert.ok(
            isValid(version, made.body, made.headers),
            `${version}: signed for the public URL`,
        );
        await accepted(await world.post(made.body, made.headers), 1, version);
    }
}

export default {
    "every shape of request, signed v1, v2 and v3, is accepted": everyShapeIsAccepted,
    "ids of 64 bits stay exact": bigIdsStayExact,
    "values beyond ASCII come through": unicodeComesThrough,
    "v1 and v3 in one request, as HubSpot sends them": v1AndV3TogetherAreAccepted,
    "the query is signed too": theQueryIsSignedToo,
    "the secret before a rotation is accepted": theSecretBeforeIsAccepted,
    "what the package refuses is answered 401": bothRefuseTheSame,
    "funneld refuses more than the package": funneldIsStricter,
    "v1 and v2 are refused where v3 is required": v1AndV2AreRefusedWhereV3IsRequired,
    "what sign prints is valid to the package": whatSignPrintsIsValid,
    "what sign prints is accepted by the daemon": whatSignPrintsIsAccepted,
};
