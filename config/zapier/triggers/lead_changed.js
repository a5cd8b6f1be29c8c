const { hookTrigger } = require('../hook_trigger');

module.exports = hookTrigger({
  key: 'lead_changed',
  label: 'Lead Changed',
  description: 'Triggers when the score of a lead changes.',
  route: 'lead-changed',
});
