// tests/sdk/test_hubspot.mjs - HubSpot's own package is served by the sandbox as by its CRM.
import assert from "node:assert/strict";

import { ApiException } from "@hubspot/api-client/lib/codegen/crm/contacts/apis/exception.js";

import { hubspot } from "./clients.mjs";

const contact = (id, properties, more = {}) => ({
    id: String(id),
    updatedAt: "2026-01-22T11:39:53.375Z",
    properties: { email: `lead${id}@example.com`, ...properties },
    ...more,
});

const read = (client, ids, more = {}) =>
    client.crm.contacts.batchApi.read({
        inputs: ids.map((id) => ({ id: String(id) })),
        properties: ["email", "firstname", "company"],
        propertiesWithHistory: [],
        ...more,
    });

async function aBatchIsRead(world) {
    await world.startSandbox();
    await world.contacts([
        contact(267448862446, { firstname: "Zoë 🚀", company: null }),
        contact(9, { firstname: "Bob" }),
    ]);
    const answer = await read(hubspot(world), [267448862446, 9]);
    assert.equal(answer.status, "COMPLETE");
    assert.ok(answer.startedAt instanceof Date && answer.completedAt instanceof Date);
    assert.equal(answer.results.length, 2);
    const zoe = answer.results.find((r) => r.id === "267448862446");
    assert.equal(zoe.properties.firstname, "Zoë 🚀");
    assert.equal(zoe.properties.email, "lead267448862446@example.com");
    assert.equal(zoe.properties.company, null);
    assert.equal(zoe.updatedAt.toISOString(), "2026-01-22T11:39:53.375Z");
    assert.equal(zoe.archived, false);
    const byEmail = await read(hubspot(world), ["lead9@example.com"], { idProperty: "email" });
    assert.equal(byEmail.results[0].id, "9");
    await world.noOffence();
}

async function whatIsMissingIsSaid(world) {
    await world.startSandbox();
    await world.contacts([contact(1, {}), contact(2, {}, { archived: true })]);
    const answer = await read(hubspot(world), [1, 2, 3]);
    assert.deepEqual(
        answer.results.map((r) => r.id),
        ["1"],
    );
    assert.equal(answer.numErrors, 1);
    assert.equal(answer.errors[0].category, "OBJECT_NOT_FOUND");
    assert.deepEqual(answer.errors[0].context.ids, ["2", "3"]);
    await world.noOffence();
}

async function oneIsRead(world) {
    await world.startSandbox();
    await world.contacts([contact(7, { firstname: "Bob" })]);
    const { basicApi } = hubspot(world).crm.contacts;
    assert.equal((await basicApi.getById("7", ["firstname"])).properties.firstname, "Bob");
    const who = "lead7@example.com";
    const byEmail = await basicApi.getById(who, ["email"], undefined, undefined, false, "email");
    assert.equal(byEmail.id, "7");
    await world.noOffence();
}

function refusal(what, status, category) {
    return (e) => {
        assert.ok(e instanceof ApiException, `${what}: ${e.stack}`);
        assert.equal(e.code, status, what);
        assert.equal(e.body.category, category, what);
        assert.ok(e.body.correlationId, what);
        assert.match(e.headers["x-hubspot-ratelimit-max"], /^[1-9]\d*$/, what);
        return true;
    };
}

async function mistakesAreApiExceptions(world) {
    await world.startSandbox();
    const client = hubspot(world);
    const many = Array.from({ length: 101 }, (_, i) => i + 1);
    const refused = [
        ["101 inputs", 400, "VALIDATION_ERROR", () => read(client, many)],
        ["the same id twice", 400, "VALIDATION_ERROR", () => read(client, [1, 1])],
        ["an empty id", 400, "VALIDATION_ERROR", () => read(client, [""])],
        ["a token", 401, "INVALID_AUTHENTICATION", () => read(hubspot(world, "pat-wrong"), [1])],
        ["nobody", 404, "OBJECT_NOT_FOUND", () => client.crm.contacts.basicApi.getById("404")],
    ];
    for (const [what, status, category, call] of refused)
        await assert.rejects(call, refusal(what, status, category));
    const noted = await world.offences();
    assert.equal(noted.length, refused.length - 1, "that nobody is there is no offence");
}

async function troubleIsSaid(world) {
    await world.startSandbox();
    await world.contacts([contact(1, {})]);
    const client = hubspot(world);
    await world.fault({ service: "hubspot", status: 429 });
    await assert.rejects(
        () => read(client, [1]),
        (e) => {
            assert.ok(e instanceof ApiException, e.stack);
            assert.equal(e.code, 429);
            assert.match(JSON.stringify(e.body), /RATE_LIMIT.*TEN_SECONDLY_ROLLING/);
            return true;
        },
    );
    assert.equal((await read(client, [1])).results.length, 1);
    await world.noOffence();
}

export default {
    "a batch is read by id and by e-mail": aBatchIsRead,
    "a batch says what is missing": whatIsMissingIsSaid,
    "one contact is read": oneIsRead,
    "mistakes come back as ApiExceptions with HubSpot's categories": mistakesAreApiExceptions,
    "a rate limit is said": troubleIsSaid,
};
