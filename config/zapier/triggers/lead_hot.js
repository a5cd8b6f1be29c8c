const { hookTrigger } = require('../hook_trigger');

module.exports = hookTrigger({
  key: 'lead_hot',
  label: 'Lead Became Hot',
  description: 'Triggers when the score of a lead rises so far that it is hot.',
  route: 'hot-lead',
});
