// A small plan, written by hand: three tasks like the shipped ones, with every kind of schema that the API has to show.
import type {
  JsonSchema,
  Plan,
  PlanModel,
  PlanModelStep,
  PlanTask,
} from '../../../src/language/plan/types.ts';

const EXTRACT: PlanModel = {
  key: 'builtin/extract',
  provider: 'builtin',
  model: 'extract',
  contextTokens: 100_000,
  maxOutputTokens: null,
  quality: 1,
  capabilities: ['text', 'streaming'],
  price: { kind: 'free' },
  policy: {
    name: 'local',
    timeoutMs: 30_000,
    firstTokenMs: 8000,
    stallMs: 10_000,
    retry: { attempts: 1, backoff: 'constant', initialDelayMs: 100, maxDelayMs: 1000 },
    circuitBreaker: { kind: 'consecutive', failures: 5, halfOpenAfterMs: 10_000 },
    bulkhead: { concurrent: 8, queue: 64 },
  },
  limits: { requests: null, tokens: null },
};

function modelStep(key: string, structured: JsonSchema | null): PlanModelStep {
  return {
    kind: 'model',
    key,
    after: [],
    when: null,
    each: null,
    outputSchema: structured ?? {
      type: 'object',
      properties: { text: { type: 'string' } },
      required: ['text'],
    },
    route: {
      name: 'local',
      pin: false,
      rules: [
        {
          name: 'local[0]',
          when: null,
          pick: 'first',
          candidates: [{ model: EXTRACT.key, weight: 1 }],
          hedge: null,
        },
      ],
    },
    system: null,
    prompt: { kind: 'literal', value: 'Summarize.' },
    maxOutputTokens: 400,
    temperature: null,
    structured,
    accept: null,
  };
}

export function task(
  name: string,
  schemas: {
    readonly input: JsonSchema;
    readonly output: JsonSchema;
    readonly description?: string;
    readonly deprecated?: string;
  },
): PlanTask {
  return {
    name,
    description: schemas.description ?? '',
    deprecated: schemas.deprecated ?? null,
    revision: `${name}-revision`,
    file: `${name}.yaml`,
    inputSchema: schemas.input,
    inputDefaults: {},
    outputSchema: schemas.output,
    allowance: { deadlineMs: 30_000, attempts: 3, costNanoUsd: null },
    cache: null,
    retain: { content: 'full', forMs: 86_400_000 },
    loop: null,
    baseline: null,
    steps: [modelStep('main', null)],
    output: { kind: 'expression', source: 'steps.main' },
  };
}

export const SUMMARIZE = task('summarize', {
  description: 'Summarize a text.',
  input: {
    type: 'object',
    properties: {
      text: { type: 'string', minLength: 1, maxLength: 200_000, description: 'What to summarize.' },
      sentences: { type: 'integer', minimum: 1, maximum: 20, default: 3 },
    },
    required: ['text'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: { text: { type: 'string' }, sentences: { type: 'array', items: { type: 'string' } } },
    required: ['text'],
  },
});

const EMAIL_PARSE = task('email-parse', {
  description: 'Read a raw e-mail; say who wants what, and by when.',
  input: {
    type: 'object',
    properties: {
      raw: { type: 'string', maxLength: 2_000_000, contentMediaType: 'message/rfc822' },
      today: { type: 'string', format: 'date' },
      receivedAtMs: { type: 'integer', minimum: 0, maximum: 9_007_199_254_740_991 },
      'x-trace': { type: 'string' },
      options: {
        type: 'object',
        properties: { depth: { type: 'integer', default: 2 }, strict: { type: 'boolean' } },
      },
      extra: {},
    },
    required: ['raw'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      from: {
        type: 'object',
        properties: { name: { type: ['string', 'null'] }, address: { type: 'string' } },
        required: ['address'],
      },
      subject: { type: 'string' },
      request: {
        type: 'object',
        properties: {
          intent: { enum: ['question', 'request', 'not-sure', 'spam'] },
          actions: {
            type: 'array',
            items: {
              type: 'object',
              properties: { what: { type: 'string' }, due: { type: 'string', format: 'date' } },
              required: ['what'],
            },
          },
        },
        required: ['intent', 'actions'],
      },
    },
    required: ['subject', 'request'],
  },
});

const CODE_REVIEW = task('code-review', {
  description: 'Review a unified diff, file by file.',
  input: {
    type: 'object',
    properties: {
      diff: { type: 'string' },
      focus: { enum: ['bugs', 'security', 'style'], default: 'bugs' },
      paths: { type: 'array', items: { type: 'string' }, maxItems: 10 },
    },
    required: ['diff'],
    additionalProperties: false,
  },
  output: {
    type: 'array',
    items: {
      type: 'object',
      properties: { line: { type: 'integer' }, message: { type: 'string' } },
      required: ['line', 'message'],
    },
  },
});

export function plan(
  tasks: readonly PlanTask[] = [SUMMARIZE, EMAIL_PARSE, CODE_REVIEW],
  hash = 'a'.repeat(64),
): Plan {
  return {
    language: 1,
    hash,
    providers: {
      builtin: {
        name: 'builtin',
        adapter: 'builtin',
        baseUrl: null,
        apiKeySecret: null,
        api: 'chat',
        headers: {},
        sdkOptions: {},
        lacks: [],
        limits: { requests: null, tokens: null },
      },
    },
    models: { [EXTRACT.key]: EXTRACT },
    budgets: [],
    guards: { loop: null, surge: null },
    tasks: Object.fromEntries(tasks.map((one) => [one.name, one])),
    environment: {},
  };
}
