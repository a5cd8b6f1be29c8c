// config/zapier/requests.js - what every request to funneld shares.

// Where it answers, without a slash at the end.
const baseUrl = (bundle) => bundle.authData.base_url.trim().replace(/\/+$/, '');

// /hooks takes the hooks token; a source has a secret of its own and brings it itself.
const withToken = (request, z, bundle) => {
  if (bundle.authData.hooks_token && !request.headers['X-Funneld-Secret'])
    request.headers['X-Api-Key'] = bundle.authData.hooks_token;
  return request;
};

const detailOf = (response) => {
  try {
    return JSON.parse(response.content).detail || '';
  } catch {
    return '';
  }
};

// funneld says what is wrong in words (RFC 9457): they are what the person sees.
const withReason = (response, z) => {
  if (response.status < 400) return response;
  const detail = detailOf(response);
  const message = detail || `funneld answered with status ${response.status}`;
  if (response.status === 503)
    throw new z.errors.ThrottledError(message, Number(response.getHeader('retry-after')) || 60);
  throw new z.errors.Error(message, 'FunneldError', response.status);
};

module.exports = { baseUrl, withToken, withReason };
