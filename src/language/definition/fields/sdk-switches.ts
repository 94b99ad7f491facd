// `sdk:` of a provider: which switches of the vendor's SDK reach a call, and what becomes of the others. The SDKs leave out in silence what they do not know.
import type { DocumentNode, MapNode } from '../../document/types.ts';
import type { Reader } from '../reader.ts';
import { HIDDEN } from '../secrets.ts';
import { presetOf, protocolOf } from '../vendors.ts';
import type { Adapter, AdapterProtocol } from '../vendors.ts';
import { show } from './kind.ts';

/** `taken`: it shapes the request. `idle`: Headgate decides it, or it is for something that is not called. `refused`: every call would fail. */
type Fate =
  | { readonly kind: 'taken' }
  | { readonly kind: 'idle' | 'refused'; readonly instead: string }
  | { readonly kind: 'secret' };

const taken: Fate = { kind: 'taken' };
const secret: Fate = { kind: 'secret' };
const idle = (instead: string): Fate => ({ kind: 'idle', instead });
const refused = (instead: string): Fate => ({ kind: 'refused', instead });

const RETRY = 'Write `retry: { attempts: 2 }` in the policy of the provider.';
const TIMEOUT = 'Write `timeout: 30s` in the policy of the provider.';
const ADDRESS = 'Write the address as the `baseUrl` of the provider.';
const HEADERS = 'Write them under `headers:` of the provider.';
const NOTHING = 'Remove it: requests are sent and logged by Headgate, not by the SDK.';
const KEY = 'Write `apiKey: ${{ secrets.NAME }}`: it is the one way in which a call proves who it is.';

const both = {
  apiKey: secret,
  baseURL: idle(ADDRESS),
  timeout: idle(TIMEOUT),
  maxRetries: idle(RETRY),
  defaultHeaders: idle(HEADERS),
  defaultQuery: taken,
  dangerouslyAllowBrowser: taken,
  fetch: idle(NOTHING),
  fetchOptions: idle(NOTHING),
  logLevel: idle(NOTHING),
  logger: idle(NOTHING),
};

/** Every option of the SDKs' clients; a test holds the names to the SDKs' own. */
export const SDK_SWITCHES: Readonly<
  Record<Exclude<AdapterProtocol, 'builtin'>, { readonly [name: string]: Fate }>
> = {
  openai: {
    ...both,
    organization: taken,
    project: taken,
    adminAPIKey: secret,
    webhookSecret: secret,
    dataResidency: refused(
      'Write the address of the region as the `baseUrl` of the provider: `https://eu.api.openai.com/v1`.',
    ),
    workloadIdentity: refused(KEY),
    x509Transport: refused(KEY),
    credential: refused(KEY),
    provider: refused(ADDRESS),
  },
  anthropic: {
    ...both,
    authToken: secret,
    webhookKey: secret,
    credentials: refused(KEY),
    config: refused(KEY),
    profile: refused(KEY),
    middleware: idle(NOTHING),
    openTelemetry: idle(NOTHING),
  },
};

/** What cannot be told before the adapter is known. */
export function checkSwitches(switches: MapNode, adapter: Adapter, reader: Reader): void {
  const protocol = protocolOf(adapter);
  if (protocol === 'builtin') return;
  const known = SDK_SWITCHES[protocol];
  reader.unknownKeys(switches, Object.keys(known), `The SDK of \`adapter: ${adapter}\``);
  for (const { key, keyAt, value } of switches.entries) {
    const fate = Object.hasOwn(known, key) ? known[key] : undefined;
    switch (fate?.kind) {
      case 'secret':
        reader.report(
          'literal-secret',
          { ...value.at, excerpt: HIDDEN, column: 1, endColumn: 2 },
          `The switch \`${key}\` holds a secret.`,
          `${KEY} Replace the key: it is in the history of git.`,
        );
        break;
      case 'refused':
        reader.report(
          'conflicting-keys',
          keyAt,
          `\`${key}\` does not go with the key and the address that the provider has: the SDK refuses every call.`,
          fate.instead,
        );
        break;
      case 'idle':
        reader.report('sdk-switch-idle', keyAt, `\`${key}\` has no effect here.`, fate.instead);
        break;
      default:
        if (key === 'defaultQuery') checkQuery(value, reader);
    }
  }
}

/** Of anything but a map the SDK would make parameters all the same. */
function checkQuery(node: DocumentNode, reader: Reader): void {
  if (node.kind === 'map' && node.entries.every(({ value }) => value.kind === 'scalar')) return;
  reader.report(
    'invalid-value',
    node.at,
    `${show(node)} cannot be the parameters of a query.`,
    'Write a map of names to texts: `defaultQuery: { api-version: "2026-01-01" }`.',
  );
}

/** Keys that say something to a server that is not there, or to another vendor's. */
const OF_A_SERVER = ['baseUrl', 'apiKey', 'api', 'headers', 'organization', 'project', 'sdk', 'lacks'];
const OF_OPENAI = ['organization', 'project'];
const OF_AZURE = ['apiVersion'];
/** Whose models have other names where they are served. */
const NAMED_ELSEWHERE = ['deployments'];
const OF_A_REGION = ['region'];

function foreignTo(adapter: Adapter): readonly (readonly [keys: readonly string[], remedy: string])[] {
  const ofOpenAi = [OF_OPENAI, "Remove it: it is a setting of OpenAI's."] as const;
  const ofAzure = [OF_AZURE, "Remove it: it is a setting of Azure's."] as const;
  const named = [NAMED_ELSEWHERE, 'Remove it: its models are called by their own names.'] as const;
  const ofRegion = [OF_A_REGION, 'Remove it: the address says where it is.'] as const;
  const ofSdk = [['api', 'sdk'], 'Remove it: its SDK has no such switch here.'] as const;
  switch (adapter) {
    case 'builtin':
      return [
        [
          [...OF_A_SERVER, ...OF_AZURE, ...NAMED_ELSEWHERE, ...OF_A_REGION],
          'Remove it: the built-in models run in this process, and no server is called.',
        ],
      ];
    case 'anthropic':
      return [[['api'], "Remove it: it is a setting of OpenAI's."], ofOpenAi, ofAzure, named, ofRegion];
    case 'openai':
      return [ofAzure, named, ofRegion];
    case 'azure':
      return [ofOpenAi, ofRegion];
    case 'bedrock':
      return [ofSdk, ofOpenAi, ofAzure];
    case 'vertex':
      return [ofSdk, [['organization'], "Remove it: it is a setting of OpenAI's."], ofAzure];
    default:
      return [ofOpenAi, ofAzure, named, ofRegion];
  }
}

export function checkAdapterKeys(provider: MapNode, adapter: Adapter, reader: Reader): void {
  const foreign = foreignTo(adapter);
  for (const { key, keyAt, value } of provider.entries) {
    const remedy = foreign.find(([keys]) => keys.includes(key))?.[1];
    if (remedy !== undefined)
      reader.report(
        'conflicting-keys',
        keyAt,
        `\`${key}\` does not go with \`adapter: ${adapter}\`.`,
        remedy,
      );
    if (key === 'api' && value.kind === 'scalar' && value.value === 'responses') {
      const preset = presetOf(adapter);
      if (preset !== undefined && !preset.apis.includes('responses'))
        reader.report(
          'conflicting-keys',
          keyAt,
          `\`api: responses\` does not go with \`adapter: ${adapter}\`.`,
          'Remove it: this vendor has Chat Completions alone.',
        );
    }
  }
  const needed = adapter === 'bedrock' ? ['region'] : adapter === 'vertex' ? ['region', 'project'] : [];
  for (const key of needed)
    if (!provider.entries.some((entry) => entry.key === key))
      reader.report(
        'missing-key',
        provider.at,
        `A provider with \`adapter: ${adapter}\` needs \`${key}\`.`,
        key === 'region'
          ? `Write the region that serves you: \`region: ${adapter === 'bedrock' ? 'us-east-1' : 'global'}\`.`
          : 'Write the id of your project: `project: my-project`.',
      );
  if (adapter === 'azure' && !provider.entries.some(({ key }) => key === 'baseUrl'))
    reader.report(
      'missing-key',
      provider.at,
      'A provider with `adapter: azure` needs `baseUrl`.',
      'Write the address of your resource: `baseUrl: https://NAME.openai.azure.com`.',
    );
}
