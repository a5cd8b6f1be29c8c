// config/zapier/hook_trigger.js - a trigger that a route of funneld's fires.
const { baseUrl } = require('./requests');

const outputFields = [
  { key: 'id', label: 'Delivery ID', primary: true },
  { key: 'event', label: 'Event' },
  { key: 'route', label: 'Route' },
  { key: 'occurred_at', label: 'Occurred At', type: 'datetime' },
  { key: 'lead_id', label: 'Lead ID' },
  { key: 'crm_id', label: 'CRM ID' },
  { key: 'email', label: 'Email' },
  { key: 'name', label: 'Name' },
  { key: 'firstname', label: 'First Name' },
  { key: 'lastname', label: 'Last Name' },
  { key: 'company', label: 'Company' },
  { key: 'jobtitle', label: 'Job Title' },
  { key: 'phone', label: 'Phone' },
  { key: 'lifecyclestage', label: 'Lifecycle Stage' },
  { key: 'crm_url', label: 'Link to the CRM' },
  { key: 'score', label: 'Score', type: 'number' },
  { key: 'previous_score', label: 'Previous Score', type: 'number' },
  { key: 'fit', label: 'Fit', type: 'number' },
  { key: 'engagement', label: 'Engagement', type: 'number' },
  { key: 'band', label: 'Band' },
  { key: 'previous_band', label: 'Previous Band' },
  { key: 'reasons', label: 'Reasons' },
  { key: 'probability', label: 'Probability of Conversion (%)', type: 'number' },
  { key: 'probability_reasons', label: 'Reasons of the Probability' },
  { key: 'churn', label: 'Risk of Leaving (%)', type: 'number' },
  { key: 'churn_reasons', label: 'Reasons of the Risk' },
  { key: 'source', label: 'Source' },
  { key: 'source_event', label: 'Event of the Source' },
  { key: 'source_property', label: 'Property' },
  { key: 'source_value', label: 'Value' },
];

const sample = {
  id: '0a1b2c3d-41',
  event: 'lead.hot',
  route: 'hot-lead',
  occurred_at: '2026-01-01T00:00:00.000Z',
  lead_id: '0a1b2c3d-7',
  crm_id: '101',
  email: 'ada@example.org',
  name: 'Ada Lovelace',
  firstname: 'Ada',
  lastname: 'Lovelace',
  company: 'Analytical Engines',
  jobtitle: 'Countess',
  phone: '+44 20 7946 0000',
  lifecyclestage: 'lead',
  crm_url: 'https://app.hubspot.com/contacts/62515/record/0-1/101',
  score: 87.5,
  previous_score: 52.5,
  fit: 15,
  engagement: 72.5,
  band: 'hot',
  previous_band: 'warm',
  reasons: 'demo request +35, visited pricing (3x) +24.5',
  probability: 72,
  probability_reasons: 'visited pricing 4 times in 30 days: +11 points',
  churn: null,
  churn_reasons: null,
  source: 'hubspot',
  source_event: 'contact.propertyChange',
  source_property: 'demo_requested',
  source_value: 'true',
};

const hookTrigger = ({ key, label, description, route }) => {
  const routeOf = (bundle) => (bundle.inputData && bundle.inputData.route) || route;

  return {
    key,
    noun: 'Lead',
    display: { label, description },
    operation: {
      type: 'hook',
      inputFields: [
        {
          key: 'route',
          label: 'Route',
          type: 'string',
          required: true,
          default: route,
          helpText:
            'Name of the `[route NAME]` in the configuration of funneld that fires this Zap. Its `to` must name a `rest_hooks` connector.',
        },
      ],
      performSubscribe: async (z, bundle) => {
        const response = await z.request({
          method: 'POST',
          url: `${baseUrl(bundle)}/hooks`,
          body: { target_url: bundle.targetUrl, route: routeOf(bundle) },
        });
        return response.data;
      },
      // Nothing was subscribed where an editor only tried the trigger out.
      performUnsubscribe: async (z, bundle) => {
        const id = (bundle.subscribeData || {}).id;
        if (!id) return {};
        const url = `${baseUrl(bundle)}/hooks/${encodeURIComponent(id)}`;
        const response = await z.request({ method: 'DELETE', url });
        return response.data;
      },
      perform: (z, bundle) => [bundle.cleanedRequest],
      performList: async (z, bundle) => {
        const response = await z.request({
          url: `${baseUrl(bundle)}/hooks/sample`,
          params: { route: routeOf(bundle) },
        });
        return response.data;
      },
      sample: { ...sample, route },
      outputFields,
    },
  };
};

module.exports = { hookTrigger };
