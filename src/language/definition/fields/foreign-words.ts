// Words of other tools, and what is written here for them: a key that means something elsewhere is translated, not only called unknown.
import type { DocumentNode } from '../../document/types.ts';

export interface Translation {
  /** The key that is meant, where it stands in the same map; it is then not said to be missing. */
  readonly key?: string;
  readonly remedy: string;
}

type Remedy = string | ((value: string) => string);
interface Word {
  /** As people write it, in lower case and without `_` and `-`. */
  readonly words: readonly string[];
  readonly key?: string;
  readonly remedy?: Remedy;
}

const POLICY_OF_PROVIDER =
  "a provider's policy in headgate.yaml: `policies: { patient: { retry: { attempts: 3 }, timeout: 30s } }`, then `policy: patient` at the provider";
const COMMENT: Remedy = 'Remove it, or make it a comment: `# …`.';
const inRoute = (model: string): string =>
  `Write \`route: { from: [${model.includes('/') ? model : `PROVIDER/${model === VALUE ? 'MODEL' : model}`}] }\`, or the name of a route of headgate.yaml.`;

const CONDITION: Word = { words: ['if', 'condition', 'onlyif', 'where'], key: 'when' };
const FALLBACK: Word = {
  words: ['fallback', 'fallbacks', 'backup', 'secondary'],
  remedy: (model) =>
    `Candidates are asked in their order: write it into the route, \`from: [provider/model, ${model}]\`.`,
};
const RETRIES: Word = {
  words: ['retry', 'retries', 'maxretries', 'maxattempts', 'attempts', 'backoff', 'retrypolicy'],
  remedy: `Write them into ${POLICY_OF_PROVIDER}; \`allowance: { attempts: 3 }\` of a task bounds all calls of a run.`,
};

const STEP: readonly Word[] = [
  { words: ['model', 'models', 'llm', 'engine', 'provider', 'modelname', 'modelid'], remedy: inRoute },
  {
    words: ['maxtokens', 'maxcompletiontokens', 'maxoutput', 'outputtokens', 'maxnewtokens', 'tokens'],
    key: 'maxOutputTokens',
  },
  CONDITION,
  { words: ['unless', 'skipif', 'ifnot'], remedy: (value) => `Write \`when: "!(${value})"\`.` },
  {
    words: ['needs', 'dependson', 'depends', 'after', 'requires', 'runafter', 'then', 'next'],
    remedy: 'Remove it: a step runs after the steps that it mentions, as in `${{ steps.NAME.text }}`.',
  },
  RETRIES,
  FALLBACK,
  {
    words: ['timeout', 'timeoutms', 'timeoutseconds', 'deadline'],
    remedy: `The time of a run is its task's, \`allowance: { deadline: 30s }\`; that of a call stands in ${POLICY_OF_PROVIDER}.`,
  },
  {
    words: ['messages', 'user', 'usermessage', 'userprompt', 'message', 'question', 'template', 'content'],
    key: 'prompt',
    remedy: 'Write the text as `prompt: |`, and instructions as `system: |`.',
  },
  { words: ['systemprompt', 'systemmessage', 'instructions', 'instruction', 'developer'], key: 'system' },
  {
    words: ['foreach', 'for', 'loop', 'map', 'matrix', 'items', 'over', 'withitems', 'iterate'],
    key: 'each',
  },
  {
    words: ['with', 'args', 'arguments', 'params', 'parameters', 'inputs', 'vars', 'variables'],
    remedy:
      'Values go into the prompt, `${{ input.text }}`; a step that runs another task gives them as `input:`.',
  },
  {
    words: [
      'responseformat',
      'schema',
      'outputs',
      'returns',
      'outputschema',
      'jsonschema',
      'format',
      'response',
    ],
    key: 'output',
    remedy: 'Write the fields of the answer: `output: { topic: string, urgent: boolean }`.',
  },
  { words: ['name', 'id'], remedy: "Remove it: the key above is the step's name." },
  { words: ['description', 'comment', 'title', 'notes'], remedy: COMMENT },
  {
    words: ['concurrency', 'parallel', 'maxparallel', 'parallelism', 'batchsize', 'workers'],
    key: 'concurrent',
  },
  {
    words: ['strategy', 'pick', 'from', 'candidates', 'loadbalance'],
    remedy: 'It belongs to the route: `route: { pick: cheapest, from: [provider/model] }`.',
  },
  {
    words: [
      'topp',
      'topk',
      'stop',
      'seed',
      'presencepenalty',
      'frequencypenalty',
      'n',
      'logprobs',
      'stream',
      'reasoning',
      'reasoningeffort',
      'thinking',
    ],
    remedy: 'Remove it: `temperature` and `maxOutputTokens` are what a step sets of a model.',
  },
  {
    words: ['tools', 'functions', 'toolchoice', 'functioncall'],
    remedy: 'Remove it: a step calls no tools; ask for an `output:` and let the next step use it.',
  },
  {
    words: ['cachecontrol', 'promptcaching', 'cacheprompt', 'promptcachekey', 'cachekey'],
    key: 'promptCache',
    remedy:
      'Remove it: providers are asked to keep what a prompt begins with, where that pays; `promptCache: off` turns that off.',
  },
  {
    words: ['cache', 'ttl'],
    remedy: (value) =>
      `It stands beside \`steps:\`, for the whole task: \`cache: { for: ${/^\d+\w+$/.test(value) ? value : '1h'} }\`.`,
  },
  {
    words: ['budget', 'cost', 'maxcost', 'limit'],
    remedy:
      'It stands beside `steps:`: `budget: { limit: $2, per: day }`, or `allowance: { cost: $0.01 }` for one run.',
  },
  { words: ['validate', 'assert', 'expect', 'check', 'guard', 'verify'], key: 'accept' },
  { words: ['policy'], remedy: 'A policy is named by the provider, in headgate.yaml.' },
  { words: ['uses', 'run', 'call', 'workflow', 'subtask'], key: 'task' },
  {
    words: ['async', 'background'],
    remedy: 'Remove it: steps that do not mention each other run side by side.',
  },
];

const onStep = (key: string): Remedy => `It belongs to a step, below \`steps:\`: \`${key}\`.`;
const TASK: readonly Word[] = [
  { words: ['name', 'id', 'workflow', 'job'], key: 'task' },
  { words: ['inputs', 'args', 'arguments', 'parameters', 'params', 'variables', 'vars'], key: 'input' },
  { words: ['outputs', 'returns', 'result', 'response'], key: 'output' },
  {
    words: ['timeout', 'deadline', 'timeoutms', 'timeoutminutes'],
    remedy: (value) => `Write \`allowance: { deadline: ${/^\d+[a-z]+$/.test(value) ? value : '30s'} }\`.`,
  },
  {
    words: ['retries', 'retry', 'attempts', 'maxretries', 'maxattempts'],
    remedy: (value) =>
      `Write \`allowance: { attempts: ${/^\d+$/.test(value) ? value : '3'} }\`: all calls of one run, retries included.`,
  },
  {
    words: ['cost', 'maxcost', 'limit'],
    remedy: (value) =>
      `Write \`allowance: { cost: ${value.startsWith('$') ? value : '$0.05'} }\` for one run, or \`budget: { limit: $2, per: day }\`.`,
  },
  {
    words: ['model', 'models', 'provider', 'route', 'llm'],
    remedy: (model) =>
      `It belongs to a step: \`route: { from: [${model.includes('/') ? model : 'provider/model'}] }\`.`,
  },
  { words: ['prompt', 'messages', 'template'], remedy: onStep('steps: { answer: { prompt: "…" } }') },
  { words: ['system', 'systemprompt', 'instructions'], remedy: onStep('system') },
  { words: ['maxtokens', 'maxoutputtokens'], remedy: onStep('maxOutputTokens') },
  { words: ['temperature'], remedy: onStep('temperature') },
  { words: ['if', 'when', 'condition'], remedy: onStep('when') },
  { words: ['each', 'foreach', 'matrix'], remedy: onStep('each') },
  {
    words: ['schedule', 'cron', 'on', 'trigger', 'triggers'],
    remedy: 'Remove it: a task runs when it is called; let a timer of yours call it, `headgate run TASK`.',
  },
  { words: ['version'], remedy: 'Remove it: git knows the version; `headgate: 1` stands in headgate.yaml.' },
  { words: ['tags', 'labels'], remedy: 'Remove it: tags come with a request.' },
  {
    words: ['env', 'secrets'],
    remedy: 'Remove it: `${{ env.NAME }}` reads the environment where it is needed.',
  },
  { words: ['title', 'summary', 'comment'], key: 'description' },
  { words: ['test', 'cases', 'examples', 'evals'], key: 'tests' },
  { words: ['ttl', 'caching'], key: 'cache', remedy: 'Write `cache: { for: 1h }`.' },
  { words: ['tasks', 'jobs', 'nodes', 'pipeline', 'stages'], key: 'steps' },
  { words: ['policy'], remedy: 'A policy is named by the provider, in headgate.yaml.' },
  FALLBACK,
];

const RULE: readonly Word[] = [
  {
    words: ['model', 'models', 'candidates', 'to', 'use', 'provider', 'providers', 'primary', 'targets'],
    key: 'from',
    remedy: (model) => `Write \`from: [${model.includes('/') ? model : 'provider/model'}]\`.`,
  },
  FALLBACK,
  {
    words: ['strategy', 'order', 'mode', 'by', 'sort', 'loadbalance', 'loadbalancing', 'prefer', 'routing'],
    key: 'pick',
  },
  { ...CONDITION, words: [...CONDITION.words, 'match', 'unless'] },
  {
    words: ['weight', 'weights', 'share', 'percent'],
    remedy: 'Weights stand beside the candidates: `from: { provider/model: 80, other/model: 20 }`.',
  },
  { ...RETRIES, words: [...RETRIES.words, 'timeout'] },
  { words: ['name', 'description'], remedy: COMMENT },
];

const BUDGET: readonly Word[] = [
  { words: ['period', 'window', 'interval', 'every', 'reset', 'duration', 'frequency'], key: 'per' },
  {
    words: ['amount', 'max', 'usd', 'cost', 'value', 'cap', 'maximum', 'dollars', 'budget', 'spend'],
    key: 'limit',
  },
  {
    words: ['action', 'onexceed', 'onexceeded', 'onlimit', 'exceeded', 'policy', 'mode', 'hard'],
    key: 'then',
  },
  {
    words: ['alert', 'alertat', 'alerts', 'warn', 'warning', 'threshold', 'thresholds', 'notify', 'notifyat'],
    key: 'warnAt',
  },
  { words: ['scope', 'by', 'for', 'groupby', 'key'], key: 'each' },
  { words: ['tz', 'zone'], key: 'timeZone' },
  CONDITION,
  { words: ['name', 'description'], remedy: COMMENT },
];

const WORDS: { readonly [noun: string]: readonly Word[] } = {
  'A step': STEP,
  'A task': TASK,
  'A rule': RULE,
  'A route': RULE,
  'A budget': BUDGET,
  'An allowance': [
    { words: ['timeout', 'time', 'maxtime', 'duration', 'latency'], key: 'deadline' },
    { words: ['retries', 'retry', 'maxretries', 'calls', 'maxattempts', 'tries'], key: 'attempts' },
    { words: ['budget', 'usd', 'maxcost', 'dollars', 'limit', 'spend'], key: 'cost' },
  ],
  'A cache': [{ words: ['ttl', 'expires', 'duration', 'maxage', 'time', 'enabled'], key: 'for' }],
  'A policy': [
    {
      words: ['retries', 'maxretries', 'attempts', 'maxattempts'],
      remedy: (value) => `Write \`retry: { attempts: ${value} }\`.`,
    },
    { words: ['backoff'], remedy: (value) => `Write \`retry: { backoff: ${value} }\`.` },
    { words: ['breaker', 'circuit'], key: 'circuitBreaker' },
    {
      words: ['concurrency', 'maxconcurrent', 'concurrent', 'parallel'],
      remedy: (value) => `Write \`bulkhead: { concurrent: ${value} }\`.`,
    },
    {
      words: ['ratelimit', 'rpm', 'tpm', 'limits'],
      remedy: 'Rate limits belong to the provider: `limits: { requests: 60/min, tokens: 150k/min }`.',
    },
    { words: ['deadline', 'timeoutms'], key: 'timeout' },
    {
      words: ['fallback', 'fallbacks'],
      remedy:
        'Candidates are asked in their order: write them into a route, `from: [provider/model, other/model]`.',
    },
  ],
  'A retry': [
    {
      words: ['max', 'count', 'times', 'retries', 'maxretries', 'maxattempts', 'limit', 'tries'],
      key: 'attempts',
    },
    { words: ['delay', 'initial', 'base', 'basedelay', 'mindelay', 'wait', 'interval'], key: 'initialDelay' },
    { words: ['cap', 'maxwait', 'maxinterval'], key: 'maxDelay' },
    { words: ['strategy', 'type', 'jitter'], key: 'backoff' },
  ],
  'A provider': [
    { words: ['type', 'kind', 'protocol', 'provider', 'vendor', 'driver'], key: 'adapter' },
    {
      words: ['key', 'token', 'secret', 'apitoken', 'credentials', 'auth', 'apikeyenv'],
      key: 'apiKey',
      remedy: 'Write `apiKey: ${{ secrets.NAME }}`, and set the environment variable NAME.',
    },
    { words: ['url', 'endpoint', 'host', 'apibase', 'base', 'address'], key: 'baseUrl' },
    { words: ['org'], key: 'organization' },
    {
      words: [
        'timeout',
        'retries',
        'retry',
        'maxretries',
        'backoff',
        'circuitbreaker',
        'bulkhead',
        'concurrency',
      ],
      remedy: `Write it into ${POLICY_OF_PROVIDER}.`,
    },
    {
      words: ['models', 'model', 'defaultmodel'],
      remedy:
        'Models are named where they are asked, `from: [provider/model]`; what is said of one stands under `models:` of headgate.yaml.',
    },
    {
      words: ['rpm', 'ratelimit', 'rate'],
      key: 'limits',
      remedy: (value) => `Write \`limits: { requests: ${/^\d+$/.test(value) ? value : '60'}/min }\`.`,
    },
    {
      words: ['tpm'],
      key: 'limits',
      remedy: (value) => `Write \`limits: { tokens: ${/^\d+k?$/.test(value) ? value : '150k'}/min }\`.`,
    },
    { words: ['pricing', 'cost', 'prices'], key: 'price' },
  ],
  'A set of limits': [
    {
      words: ['rpm', 'requestsperminute', 'calls', 'rate'],
      key: 'requests',
      remedy: (value) => `Write \`requests: ${/^\d+$/.test(value) ? value : '60'}/min\`.`,
    },
    {
      words: ['tpm', 'tokensperminute'],
      key: 'tokens',
      remedy: (value) => `Write \`tokens: ${/^\d+k?$/.test(value) ? value : '150k'}/min\`.`,
    },
  ],
  'A loop guard': [
    { words: ['action', 'onloop', 'mode'], key: 'then' },
    { words: ['count', 'max', 'limit', 'threshold', 'times', 'calls'], key: 'repeats' },
    { words: ['window', 'per', 'period', 'every', 'over'], key: 'within' },
  ],
  'The project file': [
    { words: ['version', 'schema'], key: 'headgate', remedy: 'Write `headgate: 1`.' },
    {
      words: ['tasks', 'workflows', 'jobs'],
      remedy: 'Each task is a file of its own beside this one, which begins with `task: NAME`.',
    },
    {
      words: ['defaultmodel', 'model', 'default', 'defaultroute'],
      remedy: (model) =>
        `Write \`routes: { default: { from: [${model.includes('/') ? model : 'provider/model'}] } }\`.`,
    },
    {
      words: ['secrets', 'env', 'environment', 'variables', 'vars'],
      remedy:
        'Remove it: a provider names its key, `apiKey: ${{ secrets.NAME }}`; `${{ env.NAME }}` reads the environment where it is needed.',
    },
    {
      words: ['policy', 'defaults', 'retry', 'retries', 'timeout', 'retrypolicy'],
      remedy: `Write it into ${POLICY_OF_PROVIDER}.`,
    },
    {
      words: ['limits', 'ratelimits', 'spending', 'costs'],
      remedy:
        'Write `budgets: { all: { limit: $50, per: day } }`; rate limits belong to a provider, `limits: { requests: 60/min }`.',
    },
    { words: ['fallback', 'fallbacks', 'routing', 'rules'], key: 'routes' },
    { words: ['name', 'description', 'title'], remedy: COMMENT },
  ],
};

const VALUE = '…';

/** What a foreign key is here; `noun` as it stands in problems: `A step`. undefined: nobody knows it. */
export function translateKey(noun: string, key: string, value: DocumentNode): Translation | undefined {
  const plain = key.toLowerCase().replaceAll(/[-_\s]/g, '');
  const word = WORDS[noun.replace(/ with `.*$/, '')]?.find(({ words }) => words.includes(plain));
  if (word === undefined) return undefined;
  const shown = shownValue(value);
  const { remedy, key: meant } = word;
  const said =
    typeof remedy === 'function'
      ? remedy(shown)
      : (remedy ?? `Write \`${meant ?? key}:${shown === VALUE ? '' : ` ${shown}`}\`.`);
  return { remedy: said, ...(meant === undefined ? {} : { key: meant }) };
}

/** The value as the remedy repeats it: nothing long, and nothing that would need lines of its own. */
function shownValue(node: DocumentNode): string {
  if (node.kind === 'list') {
    const items = node.items.map(shownValue);
    return items.length > 0 && items.length <= 3 ? items.join(', ') : VALUE;
  }
  return node.kind === 'scalar' && node.text !== '' && node.text.length <= 60 && !node.text.includes('\n')
    ? node.text
    : VALUE;
}

const WINDOWS: { readonly [word: string]: string } = {
  minutely: 'minute',
  hourly: 'hour',
  daily: 'day',
  weekly: 'week',
  monthly: 'month',
  min: 'minute',
  mo: 'month',
  mon: 'month',
};
const WINDOW = /^(?:per |every |each |a |1 ?)?(minute|hour|day|week|month)s?$/;

/** `monthly`, `per month`, `1 month`, `calendar month` → `month`; undefined: none of these. */
export function windowWord(text: string): string | undefined {
  const word = text
    .trim()
    .toLowerCase()
    .replace(/^calendar[ -]?/, '');
  return WINDOWS[word] ?? WINDOW.exec(word)?.[1];
}

/** `$10/day`, `10 USD per month`, `$5 daily` → what is written in two keys. */
export function limitWords(
  text: string,
): { readonly limit: string; readonly per: string | undefined } | undefined {
  const match =
    /^(?:(?:USD|US\$|\$|€|£) ?)?([\d][\d_,]*(?:\.\d+)?) ?(?:\$|€|USD|EUR|dollars?|usd)?(?:\s*(?:\/|per|an?|every|each)?\s*([A-Za-z ]+))?$/i.exec(
      text.trim(),
    );
  if (!match) return undefined;
  const [, amount = '', window] = match;
  const per = window === undefined ? undefined : windowWord(window);
  if (window !== undefined && per === undefined) return undefined;
  return { limit: `$${amount.replaceAll(/[,_]/g, '')}`, per };
}
