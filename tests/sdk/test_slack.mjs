// tests/sdk/test_slack.mjs - Slack's own packages are served by the sandbox as by Slack.
import assert from "node:assert/strict";

import { ErrorCode } from "@slack/web-api";
import { ErrorCode as WebhookErrorCode } from "@slack/webhook";

import { slack, slackWebhook } from "./clients.mjs";
import { CHANNEL } from "./world.mjs";

const message = (n) => ({
    channel: CHANNEL,
    text: `Lead ${n} is hot`,
    blocks: [
        { type: "header", text: { type: "plain_text", text: `Lead ${n}` } },
        {
            type: "section",
            text: { type: "mrkdwn", text: "*Zoë &amp; Co* 🚀", verbatim: true },
            fields: [{ type: "plain_text", text: "Score: 87" }],
        },
        { type: "divider" },
        { type: "context", elements: [{ type: "plain_text", text: "demo request 35" }] },
        {
            type: "actions",
            elements: [
                {
                    type: "button",
                    text: { type: "plain_text", text: "Open in HubSpot" },
                    url: "https://app.hubspot.com/contacts/1/record/0-1/1",
                    action_id: "open",
                },
            ],
        },
    ],
    metadata: { event_type: "funneld_lead", event_payload: { delivery: `1f2e3d4c-${n}` } },
    unfurl_links: false,
    unfurl_media: false,
});

async function aMessageIsPosted(world) {
    await world.startSandbox();
    const web = slack(world);
    const who = await web.auth.test();
    assert.ok(who.ok && who.bot_id && who.team_id, "auth.test");
    const posted = await web.chat.postMessage(message(1));
    assert.ok(posted.ok);
    assert.equal(posted.channel, CHANNEL);
    assert.match(posted.ts, /^\d+\.\d{6}$/);
    assert.equal(posted.message.text, "Lead 1 is hot");
    assert.equal(posted.message.blocks.length, 5);
    assert.equal(posted.message.metadata.event_payload.delivery, "1f2e3d4c-1");
    assert.deepEqual(posted.response_metadata.scopes, [
        "chat:write",
        "channels:history",
        "users:read.email",
    ]);
    assert.equal(posted.warning, undefined, "a warning");
    await world.noOffence();
}

async function historyShowsMetadata(world) {
    await world.startSandbox();
    const web = slack(world);
    const { ts } = await web.chat.postMessage(message(1));
    await web.chat.postMessage(message(2));
    const plain = await web.conversations.history({ channel: CHANNEL });
    assert.equal(plain.messages.length, 2);
    assert.equal(plain.messages[0].text, "Lead 2 is hot", "newest first");
    assert.equal(plain.messages[0].metadata, undefined, "metadata unasked");
    const one = await web.conversations.history({
        channel: CHANNEL,
        include_all_metadata: true,
        oldest: ts,
        latest: ts,
        inclusive: true,
        limit: 1,
    });
    assert.equal(one.messages.length, 1);
    assert.equal(one.messages[0].ts, ts);
    assert.deepEqual(one.messages[0].metadata, message(1).metadata);
    const later = await web.conversations.history({ channel: CHANNEL, oldest: ts });
    assert.equal(later.messages.length, 1, "oldest is left out itself");
    await world.noOffence();
}

async function historyHasPages(world) {
    await world.startSandbox();
    const web = slack(world);
    for (let n = 1; n <= 5; n++) await web.chat.postMessage(message(n));
    const seen = [];
    let pages = 0;
    const all = web.paginate("conversations.history", {
        channel: CHANNEL,
        include_all_metadata: true,
        limit: 2,
    });
    for await (const page of all) {
        pages++;
        seen.push(...page.messages.map((m) => m.metadata.event_payload.delivery));
    }
    assert.equal(pages, 3, "pages");
    assert.deepEqual(
        seen,
        [5, 4, 3, 2, 1].map((n) => `1f2e3d4c-${n}`),
    );
    await world.noOffence();
}

async function aMessageIsUpdatedAndAnsweredInItsThread(world) {
    await world.startSandbox();
    const web = slack(world);
    const { ts } = await web.chat.postMessage(message(1));
    const reply = await web.chat.postMessage({ ...message(2), thread_ts: ts });
    assert.equal(reply.message.thread_ts, ts);
    const updated = await web.chat.update({ channel: CHANNEL, ts, text: "claimed" });
    assert.equal(updated.ts, ts);
    const top = await web.conversations.history({ channel: CHANNEL, include_all_metadata: true });
    assert.equal(top.messages.length, 1, "replies are not in the channel");
    assert.equal(top.messages[0].text, "claimed");
    assert.equal(top.messages[0].blocks, undefined, "text alone takes the blocks away");
    assert.deepEqual(top.messages[0].metadata, message(1).metadata, "metadata stay");
    const thread = await web.conversations.replies({
        channel: CHANNEL,
        ts,
        include_all_metadata: true,
    });
    assert.deepEqual(
        thread.messages.map((m) => m.ts),
        [ts, reply.ts],
    );
    await world.noOffence();
}

async function membersAreFoundByAddress(world) {
    await world.startSandbox();
    const web = slack(world);
    const { user } = await web.users.lookupByEmail({ email: "grace@sandbox.example" });
    assert.equal(user.id, "U0GRACE");
    await assert.rejects(
        () => web.users.lookupByEmail({ email: "nobody@sandbox.example" }),
        (e) => e.data.error === "users_not_found",
    );
    await world.noOffence();
}

const long = { type: "section", text: { type: "mrkdwn", text: "x".repeat(3001) } };
const REFUSED = {
    invalid_auth: { token: "xoxb-wrong", call: (web) => web.chat.postMessage(message(1)) },
    not_authed: { token: "", call: (web) => web.chat.postMessage(message(1)) },
    message_not_found: {
        call: (web) => web.chat.update({ channel: CHANNEL, ts: "1.000001", text: "x" }),
    },
    thread_not_found: {
        call: (web) => web.chat.postMessage({ ...message(1), thread_ts: "1.000001" }),
    },
    channel_not_found: {
        call: (web) => web.chat.postMessage({ ...message(1), channel: "C0NONE" }),
    },
    is_archived: { call: (web) => web.chat.postMessage({ ...message(1), channel: "C0ARCHIVED0" }) },
    not_in_channel: { call: (web) => web.conversations.history({ channel: "C0PRIVATE00" }) },
    no_text: { call: (web) => web.chat.postMessage({ channel: CHANNEL }) },
    invalid_blocks: {
        call: (web) => web.chat.postMessage({ channel: CHANNEL, text: "long", blocks: [long] }),
        detail: /must be less than 3001 characters \[json-pointer:\/blocks\/0\/text\/text\]/,
    },
    msg_blocks_too_long: {
        call: (web) =>
            web.chat.postMessage({
                channel: CHANNEL,
                text: "long",
                blocks: Array.from({ length: 5 }, () => ({
                    type: "section",
                    text: { type: "plain_text", text: "x".repeat(2900) },
                })),
            }),
    },
    invalid_metadata_format: {
        call: (web) => web.chat.postMessage({ ...message(1), metadata: { event_type: "" } }),
    },
    invalid_limit: { call: (web) => web.conversations.history({ channel: CHANNEL, limit: 1000 }) },
    unknown_method: { call: (web) => web.apiCall("chat.shout", { channel: CHANNEL }) },
};

async function mistakesArePlatformErrors(world) {
    await world.startSandbox();
    for (const [error, { token, call, detail }] of Object.entries(REFUSED))
        await assert.rejects(
            () => call(slack(world, token)),
            (e) => {
                assert.equal(e.code, ErrorCode.PlatformError, `${error}: ${e.message}`);
                assert.equal(e.data.error, error);
                if (detail) assert.match(e.data.response_metadata.messages[0], detail);
                return true;
            },
        );
    const noted = await world.offences();
    assert.equal(noted.length, Object.keys(REFUSED).length, noted.join("\n"));
    assert.equal(
        (await slack(world).conversations.history({ channel: CHANNEL })).messages.length,
        0,
    );
}

async function troubleHasItsOwnErrors(world) {
    await world.startSandbox();
    await world.fault({ service: "slack", status: 429, retry_after: 7 });
    await assert.rejects(
        () => slack(world).chat.postMessage(message(1)),
        (e) => e.code === ErrorCode.RateLimitedError && e.retryAfter === 7,
    );
    await world.fault({ service: "slack", status: 503 });
    await assert.rejects(
        () => slack(world).chat.postMessage(message(1)),
        (e) => e.code === ErrorCode.HTTPError && e.statusCode === 503,
    );
    await world.fault({ service: "slack", mode: "processed_no_answer" });
    await assert.rejects(
        () => slack(world).chat.postMessage(message(1)),
        (e) => e.code === ErrorCode.RequestError,
    );
    const { messages } = await slack(world).conversations.history({ channel: CHANNEL });
    assert.equal(messages.length, 1, "what was processed without an answer is there");
    await world.noOffence();
}

async function aRateLimitIsWaitedFor(world) {
    await world.startSandbox();
    await world.fault({ service: "slack", status: 429, retry_after: 1 });
    const web = slack(world, "xoxb-sandbox", {
        rejectRateLimitedCalls: false,
        retryConfig: { retries: 2 },
    });
    const began = Date.now();
    assert.ok((await web.chat.postMessage(message(1))).ok);
    assert.ok(Date.now() - began >= 990, "Retry-After is in seconds");
    await world.noOffence();
}

async function theWebhookTakesAMessage(world) {
    await world.startSandbox();
    const { channel, ...rest } = message(1);
    assert.deepEqual(await slackWebhook(world).send(rest), { text: "ok" });
    assert.deepEqual(await slackWebhook(world).send("plain"), { text: "ok" });
    const { messages } = await slack(world).conversations.history({
        channel,
        include_all_metadata: true,
    });
    assert.deepEqual(
        messages.map((m) => m.text),
        ["plain", "Lead 1 is hot"],
    );
    assert.deepEqual(messages[1].metadata, rest.metadata);
    await world.noOffence();
}

async function theWebhookRefuses(world) {
    await world.startSandbox();
    const refused = [
        [
            () => slackWebhook(world, "/services/T00000000/B00000000/gone").send("x"),
            404,
            "no_service",
        ],
        [() => slackWebhook(world).send({ text: "" }), 400, "no_text"],
        [
            () => slackWebhook(world).send({ text: "x", channel: "#other" }),
            404,
            "channel_not_found",
        ],
        [() => slackWebhook(world).send({ text: "x", blocks: [long] }), 400, "invalid_blocks"],
    ];
    for (const [call, status, word] of refused)
        await assert.rejects(call, (e) => {
            assert.equal(e.code, WebhookErrorCode.HTTPError, word);
            assert.equal(e.original.response.status, status, word);
            assert.equal(e.original.response.data, word);
            return true;
        });
    assert.equal((await world.offences()).length, refused.length);
}

export default {
    "chat.postMessage with blocks and metadata": aMessageIsPosted,
    "conversations.history shows metadata when asked": historyShowsMetadata,
    "conversations.history has pages": historyHasPages,
    "chat.update changes a message, thread_ts answers it": aMessageIsUpdatedAndAnsweredInItsThread,
    "users.lookupByEmail finds a member": membersAreFoundByAddress,
    "mistakes come back as platform errors with Slack's codes": mistakesArePlatformErrors,
    "429, 503 and a cut connection have errors of their own": troubleHasItsOwnErrors,
    "a rate limit is waited for": aRateLimitIsWaitedFor,
    "an incoming webhook takes a message": theWebhookTakesAMessage,
    "an incoming webhook refuses in its own words": theWebhookRefuses,
};
