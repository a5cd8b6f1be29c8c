// tests/sdk/clients.mjs - the vendors' clients, each pointed at the sandbox by its own option.
import { sheets as sheetsApi } from "@googleapis/sheets";
import { Client as HubSpotClient } from "@hubspot/api-client";
import { Client as NotionClient } from "@notionhq/client";
import { WebClient } from "@slack/web-api";
import { IncomingWebhook } from "@slack/webhook";
import { JWT } from "google-auth-library";

const SCOPE = "https://www.googleapis.com/auth/spreadsheets";
const TOKEN_HOST = "oauth2.googleapis.com";

const quiet = {
    debug() {},
    info() {},
    warn() {},
    error() {},
    setLevel() {},
    setName() {},
    getLevel: () => "error",
};

// Nothing is tried twice: a test wants to see the first answer.
export function slack(world, token = "xoxb-sandbox", more = {}) {
    return new WebClient(token, {
        slackApiUrl: `${world.sandboxUrl}/api/`,
        retryConfig: { retries: 0 },
        rejectRateLimitedCalls: true,
        logger: quiet,
        ...more,
    });
}

export function slackWebhook(world, path = "/services/T00000000/B00000000/sandbox", more = {}) {
    return new IncomingWebhook(world.sandboxUrl + path, more);
}

export function notion(world, more = {}) {
    return new NotionClient({
        auth: "ntn_sandbox",
        baseUrl: world.sandboxUrl,
        retry: false,
        logger: quiet.info,
        ...more,
    });
}

export function hubspot(world, accessToken = "pat-sandbox") {
    return new HubSpotClient({ accessToken, basePath: world.sandboxUrl });
}

// The token's address is fixed in Google's package: its interceptor sends that one request to the
// sandbox. What the assertion says about its audience stays as the package wrote it.
export function googleAuth(world, more = {}) {
    const { client_email: email, private_key: key } = world.account;
    const auth = new JWT({ email, key, scopes: [SCOPE], ...more });
    auth.transporter.interceptors.request.add({
        async resolved(options) {
            const url = new URL(options.url);
            if (url.host === TOKEN_HOST) options.url = new URL(url.pathname, world.sandboxUrl);
            return options;
        },
    });
    return auth;
}

export function sheets(world, auth = googleAuth(world)) {
    return sheetsApi({ version: "v4", auth, rootUrl: `${world.sandboxUrl}/` });
}
