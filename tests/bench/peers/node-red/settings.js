// settings.js - Node-RED for the bench: at 127.0.0.1 only, no editor, nothing sent home.
module.exports = {
    uiHost: "127.0.0.1",
    uiPort: Number(process.env.BENCH_PORT),
    httpAdminRoot: false,
    disableEditor: true,
    telemetry: { enabled: false, updateNotification: false },
    credentialSecret: false,
    functionGlobalContext: { crypto: require("crypto") },
    logging: { console: { level: "warn" } },
};
