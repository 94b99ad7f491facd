// How both vendors word their refusals: status, type, code and message, as recorded or documented.
import type { WireProtocol } from './fault-wire.ts';

export interface Refusal {
  readonly status: number;
  readonly type: string;
  readonly code?: string | null;
  readonly message: string;
}

export type RefusalName =
  | 'rate_limited'
  | 'quota'
  | 'overloaded'
  | 'server_error'
  | 'unauthorized'
  | 'forbidden'
  | 'no_model'
  | 'context_length'
  | 'content_filter'
  | 'unsupported'
  | 'prefill';

function worded(openai: Refusal, anthropic: Refusal): (protocol: WireProtocol) => Refusal {
  return (protocol) => (protocol === 'messages' ? anthropic : openai);
}

export const REFUSALS: { readonly [Name in RefusalName]: (protocol: WireProtocol) => Refusal } = {
  rate_limited: worded(
    {
      status: 429,
      type: 'requests',
      code: 'rate_limit_exceeded',
      message:
        'Rate limit reached for model-1 in organization org-1 on requests per min (RPM): Limit 3, Used 3, Requested 1.',
    },
    {
      status: 429,
      type: 'rate_limit_error',
      message: "This request would exceed your organization's rate limit of 50 requests per minute.",
    },
  ),
  quota: worded(
    {
      status: 429,
      type: 'insufficient_quota',
      code: 'insufficient_quota',
      message: 'You exceeded your current quota, please check your plan and billing details.',
    },
    {
      status: 400,
      type: 'invalid_request_error',
      message:
        'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
    },
  ),
  overloaded: worded(
    {
      status: 503,
      type: 'server_error',
      code: 'slow_down',
      message: 'The engine is currently overloaded, please try again later.',
    },
    { status: 529, type: 'overloaded_error', message: 'Overloaded' },
  ),
  server_error: worded(
    { status: 500, type: 'server_error', message: 'The server had an error while processing your request.' },
    { status: 500, type: 'api_error', message: 'Internal server error' },
  ),
  unauthorized: worded(
    {
      status: 401,
      type: 'invalid_request_error',
      code: 'invalid_api_key',
      message: 'Incorrect API key provided.',
    },
    { status: 401, type: 'authentication_error', message: 'invalid x-api-key' },
  ),
  forbidden: worded(
    {
      status: 403,
      type: 'invalid_request_error',
      code: 'unsupported_country_region_territory',
      message: 'Country, region, or territory not supported',
    },
    {
      status: 403,
      type: 'permission_error',
      message: 'Your API key does not have permission to use the specified resource.',
    },
  ),
  no_model: worded(
    {
      status: 404,
      type: 'invalid_request_error',
      code: 'model_not_found',
      message: 'The model `model-1` does not exist or you do not have access to it.',
    },
    { status: 404, type: 'not_found_error', message: 'model: model-1' },
  ),
  context_length: worded(
    {
      status: 400,
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
      message:
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Please reduce the length of the messages.",
    },
    {
      status: 400,
      type: 'invalid_request_error',
      message: 'prompt is too long: 210000 tokens > 200000 maximum',
    },
  ),
  content_filter: worded(
    {
      status: 400,
      type: 'invalid_request_error',
      code: 'content_filter',
      message:
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
    },
    { status: 400, type: 'invalid_request_error', message: 'Output blocked by content filtering policy' },
  ),
  unsupported: worded(
    {
      status: 400,
      type: 'invalid_request_error',
      code: 'unsupported_parameter',
      message: "Unsupported parameter: 'temperature' is not supported with this model.",
    },
    { status: 400, type: 'invalid_request_error', message: '`temperature` is deprecated for this model.' },
  ),
  prefill: worded(
    {
      status: 400,
      type: 'invalid_request_error',
      message: 'Prefilling assistant messages is not supported for this model.',
    },
    {
      status: 400,
      type: 'invalid_request_error',
      message:
        'This model does not support assistant message prefill. The conversation must end with a user message.',
    },
  ),
};
