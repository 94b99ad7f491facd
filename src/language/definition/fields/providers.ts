// `providers:` and `models:`.
import type { Json, JsonObject } from '../../../common/json.ts';
import type {
  LocatedTemplate,
  ModelDefinition,
  PriceDefinition,
  ProviderDefinition,
  RateLimitsDefinition,
} from '../types.ts';
import type { DocumentNode } from '../../document/types.ts';
import type { Place } from '../../../errors/place.ts';
import { references } from '../../expression/references.ts';
import { secretNamed, secretsOf } from '../../expression/template-parts.ts';
import { expressionsIn, keepMemberPlaces } from '../located.ts';
import type { Reader } from '../reader.ts';
import { HIDDEN } from '../secrets.ts';
import { ADAPTERS, AZURE_API_VERSIONS } from '../vendors.ts';
import { textTemplate } from './expressions.ts';
import { toJson } from './json-schema.ts';
import { scalar, show } from './kind.ts';
import type { Kind } from './kind.ts';
import { expectMap, listOf, mapped, optional, record, required } from './record.ts';
import { choice, integer, reference } from './scalars.ts';
import { checkAdapterKeys, checkSwitches } from './sdk-switches.ts';
import { money, rate, tokens } from './units.ts';

export type UnnamedProvider = Omit<ProviderDefinition, 'name'>;
export type UnnamedModel = Omit<ModelDefinition, 'key' | 'provider' | 'model'>;

const SECRET = /^\$\{\{\s*secrets\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}$/;

/** A secret is named, never written: the value is read from the environment at the call (INV-9). */
export const secret: Kind<{ readonly name: string; readonly at: LocatedTemplate['at'] }> = {
  label: '`${{ secrets.NAME }}`',
  schema: () => ({ type: 'string', pattern: '^\\$\\{\\{\\s*secrets\\.[A-Za-z_][A-Za-z0-9_]*\\s*\\}\\}$' }),
  read(node, reader) {
    const value = node.kind === 'scalar' && typeof node.value === 'string' ? node.value.trim() : '';
    const name = SECRET.exec(value)?.[1];
    if (name !== undefined) return { name, at: node.at };
    const hidden = { ...node.at, excerpt: HIDDEN, column: 1, endColumn: 2 };
    const variable = variableIn(node, value);
    if (variable !== undefined)
      reader.report(
        'invalid-secret',
        node.at,
        `${show(node)} does not name one secret.`,
        `Write \`\${{ secrets.${variable} }}\`, and set the environment variable ${variable}.`,
      );
    else
      reader.report(
        'literal-secret',
        hidden,
        'A key is written into the file.',
        'Write `${{ secrets.NAME }}`, set the environment variable NAME, and replace the key: it is in the history of git.',
      );
    return undefined;
  },
};

type NamedSecret = { readonly name: string; readonly at: LocatedTemplate['at'] };

/** One key, or a pool of them. */
const keys: Kind<readonly NamedSecret[]> = {
  label: '`${{ secrets.NAME }}`, or a list of them',
  schema: (shared) => ({
    anyOf: [
      secret.schema(shared),
      { type: 'array', minItems: 1, uniqueItems: true, items: secret.schema(shared) },
    ],
  }),
  read(node, reader) {
    if (node.kind !== 'list') {
      const one = secret.read(node, reader);
      return one && [one];
    }
    if (node.items.length === 0)
      reader.report(
        'invalid-value',
        node.at,
        'A pool of keys is empty.',
        'Write `apiKey: [ ${{ secrets.NAME }} ]`.',
      );
    const read = node.items.flatMap((item) => secret.read(item, reader) ?? []);
    read.forEach(({ name, at }, index) => {
      if (read.findIndex((other) => other.name === name) < index)
        reader.report('invalid-value', at, `${name} is in the pool twice.`, 'Name each key once.');
    });
    return read;
  },
};

/** The environment variable that is meant by what is no secret's name; `undefined`: it may be the key itself. */
function variableIn(node: DocumentNode, value: string): string | undefined {
  if (node.kind !== 'scalar' || node.value === null) return 'NAME';
  const bare = /^\$?\{?([A-Z][A-Z0-9_]*_(?:KEY|TOKEN|SECRET))\}?$/.exec(value)?.[1];
  if (bare !== undefined) return bare;
  if (!value.startsWith('${{')) return undefined;
  return /^\$\{\{\s*(?:\w+\.)?([A-Za-z_]\w*)\s*(?:\}\})?$/.exec(value)?.[1] ?? 'NAME';
}

const limits: Kind<RateLimitsDefinition> = mapped(
  record(
    {
      name: 'Limits',
      noun: 'A set of limits',
      summary: 'What the provider allows. A candidate without headroom is passed over rather than refused.',
    },
    {
      requests: optional(rate, 'Calls, such as `500/min`.', 'no limit'),
      tokens: optional(rate, 'Input and output tokens together, such as `200k/min`.', 'no limit'),
    },
  ),
  ({ requests, tokens: perMinute }) => ({ requests, tokens: perMinute }),
);

const rates = record(
  { name: 'Price', noun: 'A price', summary: 'Dollars per million tokens.' },
  {
    input: required(money, 'Input tokens.'),
    cachedInput: optional(money, 'Input tokens that the provider had in its cache.', 'as `input`'),
    cacheWrite: optional(money, 'Input tokens that the provider writes to its cache.', 'as `input`'),
    output: required(money, 'Output tokens.'),
    reasoning: optional(money, 'Output tokens spent on reasoning.', 'as `output`'),
    request: optional(money, 'Each call, on top of its tokens.', '`$0`'),
  },
);

const price: Kind<PriceDefinition> = {
  label: '`free`, or a map of dollars per million tokens',
  record: rates.record,
  schema: (shared) => ({ anyOf: [{ const: 'free' }, rates.schema(shared)] }),
  read(node, reader) {
    if (node.kind === 'scalar' && node.value === 'free') return { kind: 'free', at: node.at };
    if (node.kind === 'map') {
      const read = rates.read(node, reader);
      return read && keepMemberPlaces({ kind: 'rates' as const, ...read }, node);
    }
    reader.report(
      'invalid-value',
      node.at,
      `${show(node)} is not a price.`,
      'Write `free`, or dollars per million tokens: `{ input: $0.25, output: $2 }`.',
    );
    return undefined;
  },
};

const NO_LIMITS: RateLimitsDefinition = { requests: null, tokens: null };

const headers: Kind<{ readonly [name: string]: LocatedTemplate }> = {
  label: 'map of header names to texts with `${{ }}`',
  schema: () => ({ type: 'object', additionalProperties: { type: 'string' } }),
  read(node, reader) {
    const map = expectMap(node, reader, 'A group of headers', 'Write `name: value` for each.');
    if (!map) return undefined;
    const read = map.entries.flatMap(({ key, keyAt, value }) => {
      if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(key))
        reader.report(
          'invalid-name',
          keyAt,
          `\`${key}\` cannot be the name of a header.`,
          'Use letters, digits and dashes.',
        );
      const template = textTemplate.read(value, reader);
      if (template) checkHeader(key, keyAt, template, reader);
      return template ? [[key, template] as const] : [];
    });
    return Object.fromEntries(read);
  },
};

/** What authenticates is read at the call, so it is named and neither written here nor taken from `env`. */
function checkHeader(name: string, at: Place, template: LocatedTemplate, reader: Reader): void {
  for (const { source, at: place } of expressionsIn(template)) {
    if (!references(source).roots.includes('secrets') || secretNamed(source) !== undefined) continue;
    reader.report(
      'invalid-secret',
      place,
      'A secret in a header stands alone in its `${{ }}`.',
      'Write `${{ secrets.NAME }}`, with the rest of the text around it: `Bearer ${{ secrets.NAME }}`.',
    );
  }
  if (!/^(authorization|proxy-authorization|x-api-key|api-key|cookie)$/i.test(name)) return;
  if (secretsOf(template.template).length > 0) return;
  reader.report(
    'literal-secret',
    { ...at },
    `The header \`${name}\` carries a secret.`,
    `Write \`${name}: \${{ secrets.NAME }}\`, or leave it out and write \`apiKey\`: the adapter then sets its own header.`,
  );
}

const plainText: Kind<string> = scalar({
  label: 'text',
  noun: 'a text',
  schema: { type: 'string' },
  remedy: 'Write a text; put a number in quotes.',
  parse: ({ value }) => (typeof value === 'string' ? value : undefined),
});

const deployments: Kind<{ readonly [model: string]: string }> = {
  label: 'map of models to the names of their deployments',
  schema: () => ({ type: 'object', additionalProperties: { type: 'string', minLength: 1 } }),
  read(node, reader) {
    const map = expectMap(node, reader, 'A group of deployments', 'Write `model: deployment` for each.');
    if (!map) return undefined;
    const read = map.entries.flatMap(({ key, value }) => {
      const name = plainText.read(value, reader);
      return name ? [[key, name] as const] : [];
    });
    return Object.fromEntries(read);
  },
};

const sdkOptions: Kind<JsonObject> = {
  label: 'map of switches of the SDK, by its own names',
  schema: () => ({ type: 'object' }),
  read(node, reader) {
    const map = expectMap(node, reader, 'A group of switches', 'Write `name: value` for each.');
    return map && (toJson(map) as JsonObject);
  },
};

const lacks = listOf(choice('structuredOutput', 'streamUsage', 'maxCompletionTokens', 'systemRole'), {
  noun: 'what the server lacks',
});

/** A parameter of the query that holds a key: it would stand in every log of the way. */
const SECRET_PARAMETER = /[?&](?:[\w-]*(?:key|token|secret|password)|sig)=(?!\$\{\{)[^&\s]+/i;

const baseUrl: Kind<LocatedTemplate> = {
  ...textTemplate,
  read(node, reader) {
    const read = textTemplate.read(node, reader);
    if (!read || node.kind !== 'scalar' || typeof node.value !== 'string') return read;
    if (SECRET_PARAMETER.test(node.value)) {
      reader.report(
        'literal-secret',
        { ...node.at, excerpt: HIDDEN, column: 1, endColumn: 2 },
        'The address carries a secret.',
        'Write `apiKey: ${{ secrets.NAME }}`, and replace the key: it is in the history of git.',
      );
      return undefined;
    }
    const { template } = read;
    const url = template.kind === 'literal' ? URL.parse(node.value) : null;
    const wrong =
      template.kind === 'literal'
        ? url?.protocol !== 'http:' && url?.protocol !== 'https:'
        : template.kind === 'text' && !/^(?:https?:\/\/|\$\{\{)/.test(node.value.trim());
    if (wrong)
      reader.report(
        'invalid-value',
        node.at,
        `${show(node)} is not an address.`,
        'Write it whole: `https://api.example.com/v1`, `http://127.0.0.1:11434/v1`.',
      );
    return read;
  },
};

export const provider: Kind<UnnamedProvider> = mapped(
  record(
    {
      name: 'Provider',
      noun: 'A provider',
      inPlace: (text) => `{ adapter: ${text} }`,
      summary:
        'Someone who serves models: a vendor, a server of your own, or this process (`builtin`). A provider without its key is listed as unavailable and left out of routes.',
    },
    {
      adapter: required(
        choice(...ADAPTERS),
        'The protocol it speaks, or the vendor. A vendor brings its address, what it lacks and whose prices it has, so that only the key is left to write. `openai` also fits vLLM, llama.cpp and other compatible servers; `builtin` runs in this process, without a key and without cost.',
      ),
      baseUrl: optional(baseUrl, 'Where it is reached. May read `env`.', "the vendor's own"),
      apiKey: optional(
        keys,
        'The environment variable that holds the key, or whose name with `_FILE` after it holds the path of a file with the key. A list is a pool: each call takes the key with the most headroom, and one that is refused rests while the others serve. Read at each call; never kept.',
        'no key is sent',
      ),
      api: optional(choice('chat', 'responses'), "OpenAI's two endpoints.", '`chat`'),
      headers: optional(
        headers,
        'Further headers of each call. May read `env`, and `secrets`: `api-key: ${{ secrets.AZURE_KEY }}`.',
        'none',
      ),
      apiVersion: optional(
        plainText,
        'With `adapter: azure`: the version of the API.',
        `\`${AZURE_API_VERSIONS.chat}\`; with \`api: responses\` \`${AZURE_API_VERSIONS.responses}\``,
      ),
      deployments: optional(
        deployments,
        'With `adapter: azure`, `bedrock` or `vertex`: by the name of a model, the name of its deployment or its id there (`us.anthropic.claude-sonnet-4-5-20250929-v1:0`). Routes and budgets keep the name of the model.',
        'each is named as its model',
      ),
      organization: optional(plainText, "OpenAI's organization."),
      project: optional(plainText, "OpenAI's project; with `adapter: vertex` the id of Google's."),
      region: optional(
        plainText,
        'With `adapter: bedrock` or `vertex`: the region that is called, such as `us-east-1`, `europe-west1` or `global`.',
      ),
      sdk: optional(
        sdkOptions,
        "Further switches of the vendor's SDK, by its own names, such as `defaultQuery`. What the SDK does not know is an error; what Headgate decides itself, such as retries, is warned of.",
        'none',
      ),
      lacks: optional(lacks, 'What a compatible server cannot do.', 'what the vendor is known to lack'),
      policy: optional(reference('policy'), 'How its failures are met.', 'safe values'),
      limits: optional(limits, 'What it allows.', 'no limits'),
      cost: optional(
        choice('priced', 'reported'),
        'What a call is settled at: its tokens at the prices of the plan, or what the provider says that it charged (`usage.cost` of OpenRouter and others). Holds are sized by the prices either way; where the provider reports no cost, the call is priced, and marked as estimated.',
        '`priced`; with `adapter: openrouter` `reported`',
      ),
      price: optional(price, 'For each of its models that has no price of its own.', "the price catalogue's"),
    },
  ),
  (read, node, reader) => {
    const {
      apiKey,
      headers: named,
      apiVersion,
      deployments: deployed,
      organization,
      project,
      region,
      sdk,
      limits: allowed,
      ...rest
    } = read;
    if (node.kind === 'map') {
      checkAdapterKeys(node, read.adapter, reader);
      const switches = node.entries.find(({ key }) => key === 'sdk')?.value;
      if (switches?.kind === 'map') checkSwitches(switches, read.adapter, reader);
    }
    const made = {
      ...rest,
      apiKeySecret: apiKey?.[0] ?? null,
      moreApiKeySecrets: apiKey?.slice(1) ?? [],
      headers: named ?? {},
      sdkOptions: {
        ...sdk,
        ...present('apiVersion', apiVersion),
        ...present('organization', organization),
        ...present('project', project),
        ...present('region', region),
      },
      deployments: deployed ?? {},
      limits: allowed ?? NO_LIMITS,
    };
    return keepMemberPlaces(made, node);
  },
);

function memberNode(node: DocumentNode, name: string): DocumentNode {
  return (node.kind === 'map' && node.entries.find(({ key }) => key === name)?.value) || node;
}

function present(name: string, value: Json): JsonObject {
  return value === null ? {} : { [name]: value };
}

export const model: Kind<UnnamedModel> = mapped(
  record(
    {
      name: 'Model',
      noun: 'A model',
      summary:
        'What the price catalogue lacks, or what the team wants to override. A model that a route names need not stand here when the catalogue has it.',
    },
    {
      price: optional(
        price,
        'What it costs. A model without a price cannot be held against a budget, so it is an error to route to one.',
        "the provider's, else the catalogue's",
      ),
      context: optional(tokens, 'Input and output together.', "the catalogue's"),
      maxOutputTokens: optional(tokens, 'The most it can be asked for.', "the catalogue's"),
      quality: optional(
        integer(1, 100),
        'A rank given by the team, 1 and up; `balanced` and `downgrade` read it.',
        '1',
      ),
      capabilities: optional(
        listOf(choice('text', 'structuredOutput', 'streaming'), { noun: 'capabilities', least: 1 }),
        "Where they differ from the adapter's.",
        "the adapter's",
      ),
      policy: optional(reference('policy'), 'How its failures are met.', "the provider's"),
      limits: optional(limits, "Limits of this model alone, beside its provider's.", 'none'),
    },
  ),
  ({ context, limits: allowed, ...rest }, node, reader) => {
    const { maxOutputTokens } = rest;
    if (context !== null && maxOutputTokens !== null && maxOutputTokens > context)
      reader.report(
        'invalid-value',
        memberNode(node, 'maxOutputTokens').at,
        'This is more than the whole context of the model.',
        '`context` is input and output together: raise it, or lower `maxOutputTokens`.',
      );
    return keepMemberPlaces({ ...rest, contextTokens: context, limits: allowed ?? NO_LIMITS }, node);
  },
);
