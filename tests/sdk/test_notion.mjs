// tests/sdk/test_notion.mjs - Notion's own package is served by the sandbox as by Notion.
import assert from "node:assert/strict";

import {
    APIErrorCode,
    APIResponseError,
    collectPaginatedAPI,
    isFullBlock,
    isFullDatabase,
    isFullDataSource,
    isFullPage,
} from "@notionhq/client";

import { notion } from "./clients.mjs";
import { DATABASE } from "./world.mjs";

const text = (content) => [{ text: { content } }];
const plain = (elements) => elements.map((e) => e.plain_text).join("");

async function dataSourceOf(client) {
    const database = await client.databases.retrieve({ database_id: DATABASE });
    assert.equal(database.data_sources.length, 1);
    return database.data_sources[0].id;
}

const lead = (data_source_id, n, more = {}) => ({
    parent: { type: "data_source_id", data_source_id },
    properties: {
        Name: { title: text(`Lead ${n}`) },
        "Lead ID": { rich_text: text(`242711451:${n}`) },
        Score: { number: 80 + n / 2 },
        ...more,
    },
});

async function theSchemaIsThere(world) {
    await world.startSandbox();
    const client = notion(world);
    const database = await client.databases.retrieve({ database_id: DATABASE });
    assert.ok(isFullDatabase(database), "a full database");
    const source = await client.dataSources.retrieve({
        data_source_id: database.data_sources[0].id,
    });
    assert.ok(isFullDataSource(source), "a full data source");
    const types = Object.fromEntries(
        Object.entries(source.properties).map(([k, p]) => [k, p.type]),
    );
    assert.deepEqual(types, {
        Name: "title",
        "Lead ID": "rich_text",
        Score: "number",
        Email: "email",
        Band: "select",
        Reasons: "rich_text",
        CRM: "url",
        Updated: "date",
        Status: "status",
    });
    for (const [name, p] of Object.entries(source.properties)) assert.equal(p.name, name);
    await world.noOffence();
}

async function aPageIsCreatedFoundAndChanged(world) {
    await world.startSandbox();
    const client = notion(world);
    const data_source_id = await dataSourceOf(client);
    const source = await client.dataSources.retrieve({ data_source_id });
    const created = await client.pages.create(
        lead(data_source_id, 7, {
            Email: { email: "zoë@example.com" },
            Band: { select: { name: "hot" } },
            Reasons: { rich_text: text("demo request 35 🚀") },
            CRM: { url: "https://app.hubspot.com/contacts/1/record/0-1/7" },
            Updated: { date: { start: "2026-01-22T10:00:00.000Z" } },
            Status: { status: { name: "Active" } },
        }),
    );
    assert.ok(isFullPage(created), "a full page");
    const filter = { property: "Lead ID", rich_text: { equals: "242711451:7" } };
    const found = await client.dataSources.query({ data_source_id, filter, page_size: 1 });
    assert.equal(found.results.length, 1);
    assert.equal(found.has_more, false);
    assert.equal(found.results[0].id, created.id);
    const byId = { ...filter, property: source.properties["Lead ID"].id };
    assert.equal(
        (await client.dataSources.query({ data_source_id, filter: byId })).results.length,
        1,
    );

    // by property id, as is written in the schema
    await client.pages.update({
        page_id: created.id,
        properties: {
            [source.properties.Score.id]: { number: 91.5 },
            [source.properties.Email.id]: { email: null },
            [source.properties.Band.id]: { select: { name: "on fire" } },
            [source.properties.Reasons.id]: { rich_text: [] },
        },
    });
    const { properties } = await client.pages.retrieve({ page_id: created.id });
    assert.equal(plain(properties.Name.title), "Lead 7");
    assert.equal(properties.Score.number, 91.5);
    assert.equal(properties.Email.email, null);
    assert.equal(properties.Band.select.name, "on fire");
    assert.deepEqual(properties.Reasons.rich_text, []);
    assert.equal(properties.CRM.url, "https://app.hubspot.com/contacts/1/record/0-1/7");
    assert.equal(properties.Updated.date.start, "2026-01-22T10:00:00.000Z");
    assert.equal(properties.Status.status.name, "Active");
    await world.noOffence();
}

async function aQueryHasPages(world) {
    await world.startSandbox();
    const client = notion(world);
    const data_source_id = await dataSourceOf(client);
    for (let n = 1; n <= 5; n++) await client.pages.create(lead(data_source_id, n));
    const all = await collectPaginatedAPI(client.dataSources.query, {
        data_source_id,
        page_size: 2,
    });
    assert.deepEqual(
        all.map((p) => plain(p.properties["Lead ID"].rich_text)),
        [1, 2, 3, 4, 5].map((n) => `242711451:${n}`),
    );
    const both = {
        and: [
            { property: "Score", number: { greater_than: 81 } },
            { property: "Name", title: { does_not_equal: "Lead 4" } },
        ],
    };
    const some = await client.dataSources.query({ data_source_id, filter: both });
    assert.deepEqual(
        some.results.map((p) => plain(p.properties.Name.title)),
        ["Lead 3", "Lead 5"],
    );
    await world.noOffence();
}

async function aPageInTheTrashIsNotFound(world) {
    await world.startSandbox();
    const client = notion(world);
    const data_source_id = await dataSourceOf(client);
    const { id } = await client.pages.create(lead(data_source_id, 1));
    assert.equal((await client.pages.update({ page_id: id, in_trash: true })).in_trash, true);
    assert.equal((await client.dataSources.query({ data_source_id })).results.length, 0);
    await assert.rejects(
        () => client.pages.update({ page_id: id, properties: { Score: { number: 1 } } }),
        (e) => APIResponseError.isAPIResponseError(e) && e.code === APIErrorCode.ValidationError,
    );
    assert.equal((await client.pages.update({ page_id: id, in_trash: false })).in_trash, false);
    await client.blocks.children.append({
        block_id: id,
        children: [{ type: "paragraph", paragraph: { rich_text: text("why") } }],
    });
    await world.noOffence();
}

async function blocksAreAppendedAndListed(world) {
    await world.startSandbox();
    const client = notion(world);
    const data_source_id = await dataSourceOf(client);
    const line = (content) => ({
        object: "block",
        type: "paragraph",
        paragraph: { rich_text: text(content) },
    });
    const { id } = await client.pages.create({
        ...lead(data_source_id, 1),
        children: [line("line 1")],
    });
    const added = await client.blocks.children.append({
        block_id: id,
        children: [line("line 2"), line("line 3")],
    });
    assert.equal(added.results.length, 2);
    assert.ok(added.results.every(isFullBlock), "whole blocks");
    const first = await client.blocks.children.list({ block_id: id, page_size: 2 });
    assert.deepEqual([first.results.length, first.has_more], [2, true]);
    const all = await collectPaginatedAPI(client.blocks.children.list, {
        block_id: id,
        page_size: 2,
    });
    assert.deepEqual(
        all.map((b) => plain(b.paragraph.rich_text)),
        ["line 1", "line 2", "line 3"],
    );
    await world.noOffence();
    for (const children of [[], [line("x".repeat(2001))], Array(101).fill(line("x"))])
        await assert.rejects(
            () => client.blocks.children.append({ block_id: id, children }),
            (e) => APIResponseError.isAPIResponseError(e) && e.code === APIErrorCode.ValidationError,
        );
    assert.equal((await world.offences()).length, 3);
}

async function theNewestVersionIsUnderstood(world) {
    await world.startSandbox();
    const client = notion(world, { notionVersion: "2026-03-11" });
    const data_source_id = await dataSourceOf(client);
    const { id } = await client.pages.create(lead(data_source_id, 1));
    await client.pages.update({ page_id: id, properties: { Score: { number: 1 } } });
    assert.equal((await client.dataSources.query({ data_source_id })).results.length, 1);
    await world.noOffence();
}

// status, code, words of the message, call
const one = (page) => (client, source) => client.pages.create(page(source));
const REFUSED = {
    "an unknown property": [
        400,
        "validation_error",
        /Shoe size is not a property that exists/,
        one((s) => lead(s, 1, { "Shoe size": { number: 44 } })),
    ],
    "a number as text": [
        400,
        "validation_error",
        /Score/,
        one((s) => lead(s, 1, { Score: { number: "80" } })),
    ],
    "a value of another type": [
        400,
        "validation_error",
        /Score is expected to be number/,
        one((s) => lead(s, 1, { Score: { rich_text: text("80") } })),
    ],
    "a text over 2,000 characters": [
        400,
        "validation_error",
        /length should be . `2000`, instead was `2001`/,
        one((s) => lead(s, 1, { Reasons: { rich_text: text("x".repeat(2001)) } })),
    ],
    "an empty e-mail": [
        400,
        "validation_error",
        /Email/,
        one((s) => lead(s, 1, { Email: { email: "" } })),
    ],
    "a select name with a comma": [
        400,
        "validation_error",
        /Band/,
        one((s) => lead(s, 1, { Band: { select: { name: "hot, very" } } })),
    ],
    "a status that nobody defined": [
        400,
        "validation_error",
        /Status/,
        one((s) => lead(s, 1, { Status: { status: { name: "Asleep" } } })),
    ],
    "a filter over nothing": [
        400,
        "validation_error",
        /Could not find property with name or id: Shoe size/,
        (client, data_source_id) =>
            client.dataSources.query({
                data_source_id,
                filter: { property: "Shoe size", number: { equals: 44 } },
            }),
    ],
    "a page of more than 100": [
        400,
        "validation_error",
        /page_size/,
        (client, data_source_id) => client.dataSources.query({ data_source_id, page_size: 101 }),
    ],
    "a database's id for its data source": [
        404,
        "object_not_found",
        /Could not find data_source with ID/,
        (client) => client.dataSources.query({ data_source_id: DATABASE }),
    ],
    "a page that is not there": [
        404,
        "object_not_found",
        /Could not find page with ID/,
        (client) => client.pages.retrieve({ page_id: "00000000-0000-4000-9000-00000000ffff" }),
    ],
    "a database that is not shared": [
        404,
        "object_not_found",
        /shared with your integration/,
        (client) => client.databases.retrieve({ database_id: DATABASE.replace("6", "7") }),
    ],
};

function refusal(what, status, code, words = /./) {
    return (e) => {
        assert.ok(APIResponseError.isAPIResponseError(e), `${what}: ${e.stack}`);
        assert.equal(e.code, code, what);
        assert.equal(e.status, status, what);
        assert.match(e.message, words, what);
        return true;
    };
}

async function mistakesAreResponseErrors(world) {
    await world.startSandbox();
    const client = notion(world);
    const source = await dataSourceOf(client);
    for (const [what, [status, code, words, call]] of Object.entries(REFUSED))
        await assert.rejects(() => call(client, source), refusal(what, status, code, words));
    const stranger = notion(world, { auth: "ntn_wrong" });
    await assert.rejects(
        () => dataSourceOf(stranger),
        refusal("token", 401, APIErrorCode.Unauthorized),
    );
    const old = notion(world, { notionVersion: "2022-06-28" });
    await assert.rejects(
        () => old.dataSources.retrieve({ data_source_id: source }),
        refusal("version", 400, APIErrorCode.InvalidRequestURL),
    );
    const { results } = await client.dataSources.query({ data_source_id: source });
    assert.equal(results.length, 0, "a refused page is not there");
}

async function troubleHasItsOwnCodes(world) {
    await world.startSandbox();
    const client = notion(world);
    for (const [status, code] of [
        [409, APIErrorCode.ConflictError],
        [429, APIErrorCode.RateLimited],
        [500, APIErrorCode.InternalServerError],
        [503, APIErrorCode.ServiceUnavailable],
        [529, APIErrorCode.ServiceOverload],
    ]) {
        await world.fault({ service: "notion", status, retry_after: 1 });
        await assert.rejects(() => dataSourceOf(client), refusal(`${status}`, status, code));
    }
    await world.fault({ service: "notion", status: 429, retry_after: 1 });
    const patient = notion(world, { retry: { maxRetries: 1 } });
    const began = Date.now();
    await dataSourceOf(patient);
    assert.ok(Date.now() - began >= 990, "Retry-After is in seconds");
    await world.noOffence();
}

export default {
    "a database, its data source and its schema": theSchemaIsThere,
    "a page is created, found by Lead ID, changed by property id": aPageIsCreatedFoundAndChanged,
    "a query has pages and filters": aQueryHasPages,
    "a page in the trash is not found": aPageInTheTrashIsNotFound,
    "blocks are appended and listed": blocksAreAppendedAndListed,
    "the newest version is understood": theNewestVersionIsUnderstood,
    "mistakes come back as response errors with Notion's codes": mistakesAreResponseErrors,
    "trouble has codes of its own, and a rate limit is waited for": troubleHasItsOwnCodes,
};
