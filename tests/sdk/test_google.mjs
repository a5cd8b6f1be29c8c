// tests/sdk/test_google.mjs - Google's own packages are served by the sandbox as by Google.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";

import { googleAuth, sheets } from "./clients.mjs";
import { SPREADSHEET } from "./world.mjs";

const HEADER = ["Delivery ID", "Time", "Lead", "Email", "Score", "Band", "Reasons", "CRM"];
const RAW = { spreadsheetId: SPREADSHEET, valueInputOption: "RAW" };
const APPEND = { ...RAW, range: "'Leads'!A:H", insertDataOption: "INSERT_ROWS" };

async function values(api, range, more = {}) {
    return (await api.spreadsheets.values.get({ spreadsheetId: SPREADSHEET, range, ...more })).data
        .values;
}

async function aTokenIsGiven(world) {
    await world.startSandbox();
    const auth = googleAuth(world);
    const token = await auth.authorize();
    assert.equal(token.token_type, "Bearer");
    assert.ok(token.access_token);
    assert.ok(token.expiry_date > Date.now() + 50 * 60 * 1000, "for about an hour");
    assert.equal((await auth.getAccessToken()).token, token.access_token, "it is kept");
    await world.noOffence();
}

async function theSheetIsDescribed(world) {
    await world.startSandbox();
    const { data } = await sheets(world).spreadsheets.get({
        spreadsheetId: SPREADSHEET,
        fields: "sheets.properties",
    });
    assert.equal(data.sheets[0].properties.title, "Leads");
    assert.equal(data.sheets[0].properties.sheetId, 0);
    await world.noOffence();
}

async function rowsAreWrittenAndRead(world) {
    await world.startSandbox();
    const api = sheets(world);
    assert.equal(await values(api, "'Leads'!1:1"), undefined, "an empty row has no values");
    const put = await api.spreadsheets.values.update({
        ...RAW,
        range: "'Leads'!A1:H1",
        requestBody: { values: [HEADER] },
    });
    assert.equal(put.data.updatedRange, "Leads!A1:H1");
    assert.equal(put.data.updatedCells, 8);
    const rows = [
        ["1f2e3d4c-1", "2026-01-22T10:00:00Z", "Zoë 🚀", "=1+1", 87.5, "hot", "", null],
        ["1f2e3d4c-2", "2026-01-22T10:00:01Z", "+49 30", "00123", 40, "warm"],
    ];
    const appended = await api.spreadsheets.values.append({
        ...APPEND,
        requestBody: { values: rows },
    });
    assert.equal(appended.data.updates.updatedRange, "Leads!A2:H3");
    assert.equal(appended.data.updates.updatedRows, 2);
    assert.equal(appended.data.tableRange, "Leads!A1:H1");
    const read = await values(api, "'Leads'!A:H", { valueRenderOption: "UNFORMATTED_VALUE" });
    assert.deepEqual(read, [HEADER, rows[0].slice(0, 6), rows[1]], "as typed, empty ends left out");
    const ids = await values(api, "Leads!A:A", { majorDimension: "COLUMNS" });
    assert.deepEqual(ids, [["Delivery ID", "1f2e3d4c-1", "1f2e3d4c-2"]]);
    await world.noOffence();
}

async function manyRangesAtOnce(world) {
    await world.startSandbox();
    const api = sheets(world);
    const written = await api.spreadsheets.values.batchUpdate({
        spreadsheetId: SPREADSHEET,
        requestBody: {
            valueInputOption: "RAW",
            data: [
                { range: "'Leads'!A1:B1", values: [["Delivery ID", "Score"]] },
                { range: "'Leads'!B2", values: [[91]] },
            ],
        },
    });
    assert.equal(written.data.responses.length, 2);
    const read = await api.spreadsheets.values.batchGet({
        spreadsheetId: SPREADSHEET,
        ranges: ["'Leads'!A1:B1", "Leads!B2"],
        valueRenderOption: "UNFORMATTED_VALUE",
    });
    assert.deepEqual(
        read.data.valueRanges.map((r) => r.values),
        [[["Delivery ID", "Score"]], [[91]]],
    );
    await world.noOffence();
}

async function anUpdateShowsTheCellsAsTheyAreThen(world) {
    await world.startSandbox();
    const api = sheets(world);
    await api.spreadsheets.values.update({
        ...RAW,
        range: "'Leads'!A1:C1",
        requestBody: { values: [["1f2e3d4c-1", 40, "1f2e3d4c-7"]] },
    });
    const { data } = await api.spreadsheets.values.batchUpdate({
        spreadsheetId: SPREADSHEET,
        requestBody: {
            valueInputOption: "RAW",
            includeValuesInResponse: true,
            responseValueRenderOption: "UNFORMATTED_VALUE",
            data: [{ range: "'Leads'!A1:C1", values: [["1f2e3d4c-2", 87.5, null]] }],
        },
    });
    assert.deepEqual(
        data.responses.map((r) => r.updatedData.values),
        [[["1f2e3d4c-2", 87.5, "1f2e3d4c-7"]]],
        "null left the last cell as it was",
    );
    await world.noOffence();
}

async function tabsAreAddedAndRenamed(world) {
    await world.startSandbox();
    const api = sheets(world);
    const change = (...requests) =>
        api.spreadsheets.batchUpdate({ spreadsheetId: SPREADSHEET, requestBody: { requests } });
    const { data } = await change({ addSheet: { properties: { title: "Hot leads" } } });
    const { sheetId } = data.replies[0].addSheet.properties;
    const appended = await api.spreadsheets.values.append({
        ...APPEND,
        range: "'Hot leads'!A:H",
        requestBody: { values: [["x"]] },
    });
    assert.equal(appended.data.updates.updatedRange, "'Hot leads'!A1");
    await change({
        updateSheetProperties: { properties: { sheetId, title: "Hot" }, fields: "title" },
    });
    assert.deepEqual(await values(api, "Hot!A:A"), [["x"]]);
    assert.equal(await values(api, "Leads!A:A"), undefined);
    await world.noOffence();
    await assert.rejects(() => values(api, "'Hot leads'!A:A"), /Unable to parse range/);
}

const append = (api, more) =>
    api.spreadsheets.values.append({ ...APPEND, requestBody: { values: [["x"]] }, ...more });
const REFUSED = {
    "valueInputOption left out": [
        400,
        /'valueInputOption' is required/,
        (api) => append(api, { valueInputOption: undefined }),
    ],
    "what leads typed, parsed as if typed": [
        400,
        /must be RAW/,
        (api) => append(api, { valueInputOption: "USER_ENTERED" }),
    ],
    "a tab that is not there": [
        400,
        /Unable to parse range: 'Customers'!A:H/,
        (api) => append(api, { range: "'Customers'!A:H" }),
    ],
    "more than 50,000 characters in a cell": [
        400,
        /maximum of 50000 characters in a single cell/,
        (api) => append(api, { requestBody: { values: [["x".repeat(50001)]] } }),
    ],
    "a row that is no list": [
        400,
        /Invalid value at 'data.values'/,
        (api) => append(api, { requestBody: { values: ["x"] } }),
    ],
    "another spreadsheet": [
        404,
        /Requested entity was not found/,
        (api) => append(api, { spreadsheetId: "1AnotherOne" }),
    ],
};

async function mistakesAreGaxiosErrors(world) {
    await world.startSandbox();
    const api = sheets(world);
    for (const [what, [status, words, call]] of Object.entries(REFUSED))
        await assert.rejects(
            () => call(api),
            (e) => {
                assert.equal(e.constructor.name, "GaxiosError", `${what}: ${e.stack}`);
                assert.equal(e.status, status, what);
                assert.equal(e.code, status, what);
                assert.match(e.message, words, what);
                assert.equal(e.response.data.error.code, status, what);
                return true;
            },
        );
    const noted = await world.offences();
    assert.equal(noted.length, Object.keys(REFUSED).length, noted.join("\n"));
    assert.equal(await values(api, "'Leads'!A:H"), undefined, "nothing was written");
}

async function aWrongAssertionIsRefused(world) {
    await world.startSandbox();
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = privateKey.export({ type: "pkcs8", format: "pem" });
    for (const [options, words] of [
        [{ key }, /invalid_grant: Invalid JWT Signature/],
        [{ scopes: ["https://www.googleapis.com/auth/drive"] }, /invalid_scope/],
    ])
        await assert.rejects(
            () =>
                sheets(world, googleAuth(world, options)).spreadsheets.get({
                    spreadsheetId: SPREADSHEET,
                }),
            (e) => {
                assert.equal(e.constructor.name, "GaxiosError", e.stack);
                assert.equal(e.status, 400);
                assert.match(e.message, words);
                return true;
            },
        );
}

async function aWrongTokenIsRefused(world) {
    await world.startSandbox();
    const auth = googleAuth(world, { forceRefreshOnFailure: true });
    auth.setCredentials({ ...auth.credentials, access_token: "ya29.stale", expiry_date: 4e12 });
    const { data } = await sheets(world, auth).spreadsheets.get({ spreadsheetId: SPREADSHEET });
    assert.equal(data.spreadsheetId, SPREADSHEET, "after 401 the package fetches another token");
    assert.deepEqual(await world.offences(), ["sheets: no valid access token"]);
}

async function troubleHasItsOwnStatus(world) {
    await world.startSandbox();
    const api = sheets(world);
    for (const [status, word] of [
        [403, "PERMISSION_DENIED"],
        [429, "RESOURCE_EXHAUSTED"],
        [503, "UNAVAILABLE"],
    ]) {
        await world.fault({ service: "sheets", status, method: "POST" });
        await assert.rejects(
            () => append(api),
            (e) => {
                assert.equal(e.status, status, e.stack);
                assert.equal(e.response.data.error.status, word);
                return true;
            },
        );
    }
    await append(api);
    assert.deepEqual(await values(api, "'Leads'!A:A"), [["x"]], "one row");
    await world.noOffence();
}

export default {
    "a service account gets a token": aTokenIsGiven,
    "the tab is described": theSheetIsDescribed,
    "rows are written, appended and read": rowsAreWrittenAndRead,
    "many ranges at once": manyRangesAtOnce,
    "an update shows the cells as they are then": anUpdateShowsTheCellsAsTheyAreThen,
    "tabs are added and renamed": tabsAreAddedAndRenamed,
    "mistakes come back as GaxiosErrors with Google's words": mistakesAreGaxiosErrors,
    "a wrong key or scope gets no token": aWrongAssertionIsRefused,
    "a stale token is refused and renewed": aWrongTokenIsRefused,
    "trouble has its own status": troubleHasItsOwnStatus,
};
