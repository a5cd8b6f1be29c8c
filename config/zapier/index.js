// config/zapier/index.js - a Zapier app for a funneld of your own: README.md, "Zapier".
const authentication = require('./authentication');
const { withToken, withReason } = require('./requests');
const leadHot = require('./triggers/lead_hot');
const leadChanged = require('./triggers/lead_changed');
const sendEvent = require('./creates/send_event');

module.exports = {
  version: require('./package.json').version,
  platformVersion: require('zapier-platform-core').version,
  authentication,
  beforeRequest: [withToken],
  afterResponse: [withReason],
  triggers: {
    [leadHot.key]: leadHot,
    [leadChanged.key]: leadChanged,
  },
  creates: {
    [sendEvent.key]: sendEvent,
  },
};
