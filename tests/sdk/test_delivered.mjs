// tests/sdk/test_delivered.mjs - what funneld delivered, read back by the vendors' own packages.
import assert from "node:assert/strict";

import { Signature } from "@hubspot/api-client";

import { notion, sheets, slack } from "./clients.mjs";
import {
    CHANNEL,
    DATABASE,
    HOOK,
    PORTAL,
    PUBLIC_URL,
    SECRET,
    SPREADSHEET,
    eventually,
} from "./world.mjs";

const OBJECT = 267448862446;
const HEADER = ["Delivery ID", "Time", "Lead", "Email", "Score", "Band", "Reasons", "CRM"];

// A person whose every field would like to be more than text.
const HOSTILE = {
    email: "zoë+test@example.com",
    firstname: "Zoë <!channel>",
    lastname: '=HYPERLINK("https://evil.example","x") 🚀',
    company: "Müller & Söhne <https://evil.example|Login> *bold*",
    jobtitle: "Director",
};
// 60 for the demo; enrichment then says "Director", which is worth 15. A message and a row keep the
// score of their event, a page has the newest.
const AT_COMMIT = 60;
const NEWEST = 75;
const NAME = `${HOSTILE.firstname} ${HOSTILE.lastname}`;

const connector = (world, name, lines) => `[connector ${name}]
${lines}
url = ${world.sandboxUrl}
settle = 500ms
backoff = 50ms
backoff_max = 1s
timeout = 2s
rate = 1000/s
`;

const connectors = (world) =>
    Object.entries({
        crm: `type = hubspot
token = pat-sandbox
properties = email, firstname, lastname, company, jobtitle`,
        team: `type = slack
token = xoxb-sandbox
channel = ${CHANNEL}`,
        book: `type = notion
token = ntn_sandbox
database = ${DATABASE}`,
        list: `type = google_sheets
credentials = file:${world.options.credentials.file}
token_url = ${world.sandboxUrl}/token
spreadsheet = ${SPREADSHEET}
range = Leads!A:H`,
    })
        .map(([name, lines]) => connector(world, name, lines))
        .join("");

async function start(world) {
    await world.startSandbox();
    await world.contacts([
        { id: String(OBJECT), updatedAt: "2026-01-22T11:39:53.375Z", properties: HOSTILE },
    ]);
    await world.startDaemon({
        hubspot: "enrich = crm",
        more: `${connectors(world)}
[score]
warm = 20
hot = 50
[rule demo-request]
when = event.property == "demo_requested" and event.value == "true"
points = 60
[rule pricing]
when = event.property == "pricing_page_views" and event.value >= 3
points = 40
[rule director]
when = lead.jobtitle contains "director"
points = 15
[route hot-lead]
when = score >= 50 and score.previous < 50
to = team, book, list
wait_for = enrichment
[route very-hot-lead]
when = score >= 100 and score.previous < 100
to = team, book, list
`,
    });
}

let clock = Date.now() - 1000;

async function change(world, propertyName, propertyValue) {
    const body = JSON.stringify([
        {
            eventId: ++clock,
            subscriptionId: 4578255,
            portalId: PORTAL,
            appId: 19635961,
            occurredAt: clock,
            subscriptionType: "contact.propertyChange",
            attemptNumber: 0,
            objectId: OBJECT,
            propertyName,
            propertyValue,
            changeSource: "CRM_UI",
        },
    ]);
    const timestamp = Date.now();
    const signature = Signature.getSignature("POST", "v3", {
        clientSecret: SECRET,
        requestBody: body,
        url: PUBLIC_URL + HOOK,
        timestamp,
    });
    const answer = await world.post(body, {
        "X-HubSpot-Signature-v3": signature,
        "X-HubSpot-Request-Timestamp": String(timestamp),
    });
    assert.equal(answer.status, 200, answer.text);
}

// The deliveries of the three outputs, by connector, when n times three of them have arrived.
async function delivered(world, n) {
    const all = await eventually(`${3 * n} deliveries`, async () => {
        const done = await world.command("deliveries", "--state", "delivered");
        const ours = done.filter((d) => d.connector !== "crm");
        return ours.length === 3 * n && ours;
    });
    return (name) => all.filter((d) => d.connector === name);
}

async function history(world, more = {}) {
    const how = { channel: CHANNEL, include_all_metadata: true, ...more };
    return (await slack(world).conversations.history(how)).messages;
}

async function rows(world) {
    const { data } = await sheets(world).spreadsheets.values.get({
        spreadsheetId: SPREADSHEET,
        range: "'Leads'!A:H",
        valueRenderOption: "UNFORMATTED_VALUE",
    });
    return data.values;
}

// What the lead is called outside: `<database id>-<n>`, as its deliveries are.
async function leadId(world) {
    const [message] = await history(world, { limit: 1 });
    const [database] = message.metadata.event_payload.delivery.split("-");
    const [{ id }] = await world.command("leads", "show", `${PORTAL}:${OBJECT}`);
    return `${database}-${id}`;
}

async function pages(world) {
    const client = notion(world);
    const { data_sources } = await client.databases.retrieve({ database_id: DATABASE });
    return (
        await client.dataSources.query({
            data_source_id: data_sources[0].id,
            filter: { property: "Lead ID", rich_text: { equals: await leadId(world) } },
        })
    ).results;
}

const plain = (elements) => elements.map((e) => e.plain_text).join("");
const allText = (value) =>
    typeof value === "object" && value ? Object.values(value).flatMap(allText) : [String(value)];

async function slackHasTheMessage(world) {
    await start(world);
    await change(world, "demo_requested", "true");
    const [delivery] = (await delivered(world, 1))("team");
    const messages = await history(world);
    assert.equal(messages.length, 1);
    const [m] = messages;
    assert.equal(m.metadata.event_type, "funneld_lead");
    assert.match(m.metadata.event_payload.delivery, new RegExp(`^[0-9a-f]{8}-${delivery.id}$`));
    const said = allText(m.blocks).concat(m.text).join("\n");
    for (const part of [
        "Score\n",
        `${AT_COMMIT}`,
        "demo request",
        "Müller &amp; Söhne",
        HOSTILE.email,
    ])
        assert.ok(said.includes(part), `${part} in ${said}`);
    for (const trap of ["<!channel>", "<https://evil"])
        assert.ok(!said.includes(trap), `${trap} in ${said}`);
    assert.equal(delivery.remote_id, `${CHANNEL}:${m.ts}`);
    await world.noOffence();
}

async function notionHasThePage(world) {
    await start(world);
    await change(world, "demo_requested", "true");
    const [delivery] = (await delivered(world, 1))("book");
    const found = await pages(world);
    assert.equal(found.length, 1, "pages with this Lead ID");
    const { id, properties } = found[0];
    assert.equal(plain(properties.Name.title), NAME);
    assert.equal(properties.Score.number, NEWEST);
    assert.equal(properties.Email.email, HOSTILE.email);
    assert.equal(properties.Band.select.name, "hot");
    assert.match(plain(properties.Reasons.rich_text), /demo request/);
    assert.equal(
        properties.CRM.url,
        `https://app.hubspot.com/contacts/${PORTAL}/record/0-1/${OBJECT}`,
    );
    assert.ok(Date.now() - Date.parse(properties.Updated.date.start) < 60000, "Updated");
    assert.equal(delivery.remote_id, id);
    assert.equal((await notion(world).pages.retrieve({ page_id: delivery.remote_id })).id, id);
    await world.noOffence();
}

async function sheetsHasTheRow(world) {
    await start(world);
    await change(world, "demo_requested", "true");
    const [delivery] = (await delivered(world, 1))("list");
    const all = await rows(world);
    assert.deepEqual(all[0], HEADER);
    assert.equal(all.length, 2);
    const row = Object.fromEntries(HEADER.map((name, i) => [name, all[1][i]]));
    assert.equal(delivery.remote_id, "Leads!A2");
    assert.match(row["Delivery ID"], new RegExp(`^[0-9a-f]{8}-${delivery.id}$`));
    assert.ok(Date.now() - Date.parse(row.Time) < 60000, `Time ${row.Time}`);
    assert.equal(row.Lead, NAME);
    assert.equal(row.Email, HOSTILE.email);
    assert.equal(row.Score, AT_COMMIT);
    assert.equal(row.Band, "hot");
    assert.match(row.Reasons, /demo request/);
    assert.match(row.CRM, new RegExp(`/${OBJECT}$`));
    await world.noOffence();
}

async function oneLeadStaysOnePage(world) {
    await start(world);
    await change(world, "demo_requested", "true");
    await delivered(world, 1);
    await change(world, "pricing_page_views", "5");
    const of = await delivered(world, 2);
    const found = await pages(world);
    assert.equal(found.length, 1, "pages");
    assert.equal(found[0].properties.Score.number, 115);
    assert.deepEqual(new Set(of("book").map((d) => d.remote_id)), new Set([found[0].id]));
    const messages = await history(world);
    const all = await rows(world);
    assert.deepEqual([messages.length, all.length - 1], [2, 2], "messages and rows");
    assert.deepEqual(
        all.slice(1).map((r) => r[4]),
        [AT_COMMIT, 115],
        "scores, oldest first",
    );
    await world.noOffence();
}

async function lostAnswersLeaveOneOfEach(world) {
    await start(world);
    for (const [service, path, method] of [
        ["slack", "/api/chat.postMessage", "POST"],
        ["notion", "/v1/pages", "POST"],
        ["sheets", `/v4/spreadsheets/${SPREADSHEET}/values/`, "POST"],
    ])
        await world.fault({ service, path, method, mode: "processed_no_answer" });
    await change(world, "demo_requested", "true");
    await delivered(world, 1);
    assert.equal((await history(world)).length, 1, "messages");
    assert.equal((await pages(world)).length, 1, "pages");
    assert.equal((await rows(world)).length, 2, "the header and one row");
    await world.noOffence();
}

export default {
    "Slack's history has the message with its metadata": slackHasTheMessage,
    "a Notion query finds the page by its Lead ID": notionHasThePage,
    "the sheet has the row under its header": sheetsHasTheRow,
    "a lead that got hotter is one page, two messages, two rows": oneLeadStaysOnePage,
    "a lost answer leaves one message, one page, one row": lostAnswersLeaveOneOfEach,
};
