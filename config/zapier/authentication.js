// config/zapier/authentication.js - where funneld answers, and what proves a Zap to it.
const { baseUrl } = require('./requests');

module.exports = {
  type: 'custom',
  fields: [
    {
      key: 'base_url',
      label: 'Address',
      type: 'string',
      required: true,
      helpText: 'Where your funneld answers: `public_url` in its configuration.',
      placeholder: 'https://hooks.example.com',
    },
    {
      key: 'hooks_token',
      label: 'Hooks token',
      type: 'password',
      required: true,
      helpText: 'What `hooks_token` under `[server]` says.',
    },
    {
      key: 'source_path',
      label: 'Path of the Zapier source',
      type: 'string',
      required: false,
      default: '/webhooks/zapier',
      helpText: 'What `path` of the `[source NAME]` with `type = zapier` says. For sending events.',
    },
    {
      key: 'source_secret',
      label: 'Secret of the Zapier source',
      type: 'password',
      required: false,
      helpText: 'What its `secret` says. For sending events.',
    },
  ],
  test: (z, bundle) => z.request(`${baseUrl(bundle)}/hooks/sample`).then(() => ({})),
  connectionLabel: (z, bundle) => new URL(baseUrl(bundle)).host,
};
