// Providers and models of a plan: catalogue and overrides joined, prices fixed (INV-6).
import type { Problem } from '../../errors/problem.ts';
import type {
  Definition,
  ModelDefinition,
  Place,
  PriceDefinition,
  ProviderDefinition,
} from '../definition/types.ts';
import { AZURE_API_VERSIONS, presetOf, protocolOf, vendorOfAdapter } from '../definition/vendors.ts';
import type { AdapterProtocol } from '../definition/vendors.ts';
import type { Catalogue, CatalogueModel } from './catalogue.ts';
import { DEFAULT_QUALITY, NO_LIMITS } from './defaults.ts';
import { resolveLimits, resolvePolicy } from './policies.ts';
import { missingContext, missingPrice } from './problems.ts';
import type { Capability, PlanModel, PlanPrice, PlanProvider } from './types.ts';

export interface ModelMention {
  readonly key: string;
  readonly provider: string;
  readonly at: Place;
}

const CAPABILITIES: { readonly [protocol in AdapterProtocol]: readonly Capability[] } = {
  openai: ['streaming', 'structuredOutput', 'text'],
  anthropic: ['streaming', 'structuredOutput', 'text'],
  builtin: ['streaming', 'text'],
};

/** The builtin models work on any length: the extractive summary bounds its own work. */
const BUILTIN_CONTEXT_TOKENS = 2_000_000;

export function resolveProvider(provider: ProviderDefinition): PlanProvider {
  const vendor = vendorOfAdapter(provider.adapter);
  const preset = presetOf(provider.adapter);
  const protocol = protocolOf(provider.adapter);
  const api = provider.api ?? 'chat';
  const cost = provider.cost ?? preset?.cost;
  const speaksBoth = preset === undefined || preset.apis.length > 1;
  return {
    name: provider.name,
    adapter: protocol,
    ...(vendor === undefined ? {} : { vendor }),
    baseUrl: provider.baseUrl?.template ?? null,
    apiKeySecret: provider.apiKeySecret?.name ?? null,
    ...(provider.moreApiKeySecrets.length === 0
      ? {}
      : { moreApiKeySecrets: provider.moreApiKeySecrets.map(({ name }) => name) }),
    api,
    ...(protocol === 'openai' && provider.api === null && speaksBoth ? { anyApi: true as const } : {}),
    headers: Object.fromEntries(
      Object.entries(provider.headers).map(([name, header]) => [name, header.template]),
    ),
    sdkOptions:
      vendor === 'azure'
        ? { apiVersion: AZURE_API_VERSIONS[api], ...provider.sdkOptions }
        : provider.sdkOptions,
    lacks: [...(provider.lacks ?? preset?.lacks ?? [])].sort(),
    limits: resolveLimits(provider.limits),
    ...(cost === 'reported' ? { cost } : {}),
  };
}

/** Every model that a route mentions, with its price; a problem for each that lacks a price or a context. */
export function resolveModels(
  definition: Definition,
  mentions: readonly ModelMention[],
  catalogue: Catalogue,
  nowMs: number,
): { readonly models: { readonly [key: string]: PlanModel }; readonly problems: readonly Problem[] } {
  const { providers, models: overrides, policies } = definition.project;
  const models: { [key: string]: PlanModel } = {};
  const problems: Problem[] = [];
  for (const mention of mentions) {
    const provider = providers[mention.provider];
    if (models[mention.key] !== undefined || !provider) continue;
    const override = overrides[mention.key];
    const wireName = mention.key.slice(mention.provider.length + 1);
    const served = Object.hasOwn(provider.deployments, wireName)
      ? (provider.deployments[wireName] ?? wireName)
      : wireName;
    // A deployment is named as its owner likes; an id says which model it is, and where.
    const listed = presetOf(provider.adapter)?.protocol === 'anthropic' ? served : wireName;
    const known =
      provider.adapter === 'builtin' ? undefined : findInCatalogue(provider, listed, catalogue, nowMs);
    const price = resolvePrice(provider, override, known);
    const contextTokens =
      override?.contextTokens ??
      (provider.adapter === 'builtin' ? BUILTIN_CONTEXT_TOKENS : (known?.contextTokens ?? null));
    if (price === null) {
      const owner = Object.values(providers).find(
        (other) =>
          other !== provider &&
          other.adapter !== 'builtin' &&
          findInCatalogue(other, wireName, catalogue, nowMs) !== undefined,
      );
      problems.push(missingPrice(mention, known, catalogue, owner && `${owner.name}/${wireName}`));
    }
    if (contextTokens === null && price !== null) problems.push(missingContext(mention));
    const policyName = override?.policy?.name ?? provider.policy?.name;
    models[mention.key] = {
      key: mention.key,
      provider: mention.provider,
      model: served,
      contextTokens: contextTokens ?? 0,
      maxOutputTokens: override?.maxOutputTokens ?? null,
      quality: override?.quality ?? DEFAULT_QUALITY,
      capabilities: [...(override?.capabilities ?? CAPABILITIES[protocolOf(provider.adapter)])].sort(),
      price: price ?? { kind: 'free' },
      policy: resolvePolicy(policyName === undefined ? null : (policies[policyName] ?? null)),
      limits: override ? resolveLimits(override.limits) : NO_LIMITS,
    };
  }
  return { models, problems };
}

function findInCatalogue(
  provider: ProviderDefinition,
  model: string,
  catalogue: Catalogue,
  nowMs: number,
): CatalogueModel | undefined {
  const preset = presetOf(provider.adapter);
  if (preset !== undefined) {
    // A vendor that is named has its prices wherever it is reached, through a proxy too.
    const { pricedAs } = preset;
    return pricedAs === null
      ? undefined
      : catalogue.find({ provider: pricedAs, baseUrl: null, adapterVendor: null, model, atMs: nowMs });
  }
  const template = provider.baseUrl?.template;
  const literal = template?.kind === 'literal' && typeof template.value === 'string' ? template.value : null;
  return catalogue.find({
    provider: provider.name,
    baseUrl: literal,
    // A base URL that leads elsewhere does not have the vendor's prices.
    adapterVendor: template === undefined ? provider.adapter : null,
    model,
    atMs: nowMs,
  });
}

/** Whose model it is, as far as the catalogue knows it at that address. */
export function vendorOf(
  provider: ProviderDefinition,
  model: string,
  catalogue: Catalogue,
  nowMs: number,
): string | undefined {
  return provider.adapter === 'builtin'
    ? undefined
    : findInCatalogue(provider, model, catalogue, nowMs)?.vendor;
}

/** The nearest to the model wins: its own price, its provider's, the catalogue's. */
function resolvePrice(
  provider: ProviderDefinition,
  override: ModelDefinition | undefined,
  known: CatalogueModel | undefined,
): PlanPrice | null {
  const written = override?.price ?? provider.price;
  if (written) return priceFromYaml(written);
  if (provider.adapter === 'builtin' || presetOf(provider.adapter)?.pricedAs === null)
    return { kind: 'free' };
  return known?.tiers ? { kind: 'rates', source: known.source, tiers: known.tiers } : null;
}

/** What is not said is billed like what it is a part of: cached and written input like input, reasoning like output. */
function priceFromYaml(price: PriceDefinition): PlanPrice {
  if (price.kind === 'free') return { kind: 'free' };
  return {
    kind: 'rates',
    source: 'yaml',
    tiers: [
      {
        fromInputTokens: 0,
        input: price.input,
        cachedInput: price.cachedInput ?? price.input,
        cacheWrite: price.cacheWrite ?? price.input,
        output: price.output,
        reasoning: price.reasoning ?? price.output,
        request: price.request ?? 0n,
      },
    ],
  };
}
