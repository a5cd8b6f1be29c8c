const { baseUrl } = require('../requests');

// What is not filled in is not sent; properties of one's own never take the place of these.
const bodyOf = ({ properties, ...own }) => {
  const filled = Object.entries(own).filter(([, value]) => value !== undefined && value !== '');
  return { ...properties, ...Object.fromEntries(filled) };
};

module.exports = {
  key: 'send_event',
  noun: 'Event',
  display: {
    label: 'Send Event',
    description: 'Tells funneld what a person did, so that it counts for the score.',
  },
  operation: {
    inputFields: [
      {
        key: 'email',
        label: 'Email',
        type: 'string',
        required: true,
        helpText: 'Of the person: who the lead is.',
      },
      {
        key: 'event_type',
        label: 'Event Type',
        type: 'string',
        required: false,
        helpText: 'What rules call it, as in `webinar.attended`.',
      },
      {
        key: 'event_id',
        label: 'Event ID',
        type: 'string',
        required: false,
        helpText: 'Of the step before, so that a Zap that runs again counts once.',
      },
      {
        key: 'occurred_at',
        label: 'Occurred At',
        type: 'datetime',
        required: false,
        helpText: 'When it happened; empty is now.',
      },
      {
        key: 'properties',
        label: 'Properties',
        dict: true,
        required: false,
        helpText: 'What else is known of the person, as in `company`.',
      },
    ],
    perform: async (z, bundle) => {
      const path = bundle.authData.source_path || '/webhooks/zapier';
      const response = await z.request({
        method: 'POST',
        url: `${baseUrl(bundle)}/${path.replace(/^\/+/, '')}`,
        headers: { 'X-Funneld-Secret': bundle.authData.source_secret || '' },
        body: bodyOf(bundle.inputData),
      });
      return { id: response.data.request_id, ...response.data };
    },
    sample: { id: 'z72nrnz10c6zxywrkpq2qh1aaj', accepted: 1, duplicates: 0, unprocessable: 0 },
    outputFields: [
      { key: 'id', label: 'Request ID' },
      { key: 'accepted', label: 'Accepted', type: 'integer' },
      { key: 'duplicates', label: 'Duplicates', type: 'integer' },
      { key: 'unprocessable', label: 'Unprocessable', type: 'integer' },
    ],
  },
};
