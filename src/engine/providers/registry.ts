// The registry: builds providers from a plan's settings and keeps them, with their sockets, as long as any plan has the same settings.
import type { Clock } from '../../common/clock.ts';
import { canonicalJson } from '../../common/json.ts';
import type { Json, JsonObject } from '../../common/json.ts';
import { secretNamed, secretsOf } from '../../language/expression/template-parts.ts';
import { VENDORS } from '../../language/definition/vendors.ts';
import type { Plan, PlanProvider, Template } from '../../language/plan/types.ts';
import { ANTHROPIC_BASE_URL, createAnthropicProtocol } from './anthropic/anthropic.ts';
import { hostAddress } from './anthropic/hosted.ts';
import { createBuiltinProvider } from './builtin/builtin.ts';
import { createOpenAiProtocol, OPENAI_BASE_URL } from './openai/openai.ts';
import type { Provider } from './port.ts';
import type { ProviderRegistry, ReadSecret } from './registry-port.ts';
import { createPool } from './shared/http-pool.ts';
import { proxyFor } from './shared/proxy.ts';
import type { ProxySettings } from './shared/proxy.ts';
import { createRemoteProvider } from './shared/remote.ts';
import type { HeaderPart } from './shared/remote.ts';

export interface ProviderRegistryOptions {
  readonly readSecret: ReadSecret;
  readonly clock: Clock;
  /** Evaluates a `baseUrl` or a header with the plan's environment. */
  readonly resolveTemplate: (template: Template, plan: Plan) => Json;
  /** The proxies on the way; default: none. */
  readonly proxies?: ProxySettings;
}

/** A provider's settings with nothing left to evaluate; equal settings are one provider. */
interface ResolvedSettings {
  readonly name: string;
  readonly adapter: PlanProvider['adapter'];
  readonly vendor?: NonNullable<PlanProvider['vendor']>;
  readonly baseUrl: string;
  readonly apiKeySecret: string | null;
  readonly moreApiKeySecrets: readonly string[];
  readonly api: PlanProvider['api'];
  readonly anyApi?: true;
  readonly headers: { readonly [name: string]: string };
  readonly secretHeaders: { readonly [name: string]: readonly HeaderPart[] };
  readonly sdkOptions: JsonObject;
  readonly lacks: PlanProvider['lacks'];
}

export function createProviderRegistry(options: ProviderRegistryOptions): ProviderRegistry {
  const { resolveTemplate } = options;
  /** By canonical settings. Bounded by the plans that are live: `retain` removes the rest (INV-14). */
  const instances = new Map<string, Provider>();
  /** Templates are evaluated once per plan: its environment never changes (INV-6). */
  const keysOfPlan = new WeakMap<Plan, Map<string, string>>();

  const keyOf = (plan: Plan, name: string): string => {
    let keys = keysOfPlan.get(plan);
    if (keys === undefined) keysOfPlan.set(plan, (keys = new Map()));
    let key = keys.get(name);
    if (key === undefined) {
      const settings = resolve(plan, name, resolveTemplate);
      key = canonicalJson(settings);
      keys.set(name, key);
      if (!instances.has(key)) instances.set(key, create(settings, options));
    }
    return key;
  };

  return {
    get(plan, name) {
      const key = keyOf(plan, name);
      let provider = instances.get(key);
      if (provider === undefined) {
        // A plan that was let go of and is used again, by a run that began before.
        provider = create(resolve(plan, name, resolveTemplate), options);
        instances.set(key, provider);
      }
      return provider;
    },
    async retain(live) {
      const kept = new Set(
        live.flatMap((plan) => Object.keys(plan.providers).map((name) => keyOf(plan, name))),
      );
      const gone = [...instances].filter(([key]) => !kept.has(key));
      for (const [key] of gone) instances.delete(key);
      await Promise.all(gone.map(([, provider]) => provider.close()));
    },
    async close() {
      const all = [...instances.values()];
      instances.clear();
      await Promise.all(all.map((provider) => provider.close()));
    },
  };
}

function resolve(
  plan: Plan,
  name: string,
  resolveTemplate: ProviderRegistryOptions['resolveTemplate'],
): ResolvedSettings {
  const provider = plan.providers[name];
  if (provider === undefined) throw new Error(`The plan has no provider named ${name}.`);
  const { adapter, vendor, apiKeySecret, moreApiKeySecrets = [], api, anyApi, sdkOptions, lacks } = provider;
  const baseUrl = provider.baseUrl === null ? '' : textOf(resolveTemplate(provider.baseUrl, plan));
  const headers: { [name: string]: string } = {};
  const secretHeaders: { [name: string]: readonly HeaderPart[] } = {};
  const textIn = (template: Template): string => textOf(resolveTemplate(template, plan));
  for (const [header, template] of Object.entries(provider.headers))
    if (secretsOf(template).length === 0) headers[header] = textIn(template);
    else secretHeaders[header] = headerParts(template, textIn);
  // An empty base URL is an environment variable that is set to nothing: it means the default, as it does to the SDKs.
  const fallback =
    vendor === undefined
      ? adapter === 'anthropic'
        ? ANTHROPIC_BASE_URL
        : OPENAI_BASE_URL
      : vendor === 'bedrock' || vendor === 'vertex'
        ? hostAddress(vendor, textOf(sdkOptions['region'] ?? ''))
        : (VENDORS[vendor].baseUrl ?? '');
  return {
    name,
    adapter,
    ...(vendor === undefined ? {} : { vendor }),
    baseUrl: baseUrl === '' ? fallback : baseUrl,
    apiKeySecret,
    moreApiKeySecrets,
    api,
    ...(anyApi ? { anyApi } : {}),
    headers,
    secretHeaders,
    sdkOptions,
    lacks,
  };
}

/** Everything of it but its secrets, which are read at the call. */
function headerParts(template: Template, textIn: (template: Template) => string): readonly HeaderPart[] {
  const parts = template.kind === 'text' ? template.parts : template.kind === 'expression' ? [template] : [];
  return parts.map((part) => {
    if (typeof part === 'string') return part;
    const secret = secretNamed(part.source);
    return secret === undefined ? textIn({ kind: 'expression', source: part.source }) : { secret };
  });
}

function textOf(value: Json): string {
  return value === null ? '' : typeof value === 'string' ? value.trim() : JSON.stringify(value);
}

const NO_PROXIES: ProxySettings = { http: null, https: null, except: [] };

function create(settings: ResolvedSettings, options: ProviderRegistryOptions): Provider {
  const { readSecret, clock, proxies = NO_PROXIES } = options;
  const { name, adapter, baseUrl, apiKeySecret, moreApiKeySecrets, headers, secretHeaders, sdkOptions } =
    settings;
  if (adapter === 'builtin') return createBuiltinProvider(name);
  const pool = createPool({ clock, proxy: proxyFor(baseUrl, proxies) });
  const sdk = { name, baseUrl, headers, sdkOptions };
  const protocol =
    adapter === 'openai' ? createOpenAiProtocol(sdk, settings) : createAnthropicProtocol(sdk, settings);
  return createRemoteProvider(
    { name, apiKeySecret, moreApiKeySecrets, headers, secretHeaders, misconfigured: baseUrlProblem(baseUrl) },
    protocol,
    { readSecret, clock, pool },
  );
}

function baseUrlProblem(baseUrl: string): string | undefined {
  const url = URL.parse(baseUrl);
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return undefined;
  return 'set baseUrl to an http or https URL';
}
