// Vendors, each under its own name: where it is, what it lacks, who prices it. `adapter:` may name them.

export type Lack = 'structuredOutput' | 'streamUsage' | 'maxCompletionTokens' | 'systemRole';
export type Api = 'chat' | 'responses';

export interface VendorPreset {
  readonly protocol: 'openai' | 'anthropic';
  /** Where it is reached; null: everyone has an address of their own. */
  readonly baseUrl: string | null;
  readonly apis: readonly Api[];
  /** Where `lacks:` is not written. */
  readonly lacks: readonly Lack[];
  /** Where `cost:` is not written. */
  readonly cost: 'reported' | null;
  /** Whose prices and contexts they are, by the catalogue's name of the vendor; null: its models cost nothing. */
  readonly pricedAs: string | null;
}

const BOTH: readonly Api[] = ['chat', 'responses'];

export const VENDORS = {
  azure: { protocol: 'openai', baseUrl: null, apis: BOTH, lacks: [], cost: null, pricedAs: 'azure' },
  gemini: {
    protocol: 'openai',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
    apis: ['chat'],
    lacks: [],
    cost: null,
    pricedAs: 'google',
  },
  // It says what it charged, and its prices are those of whoever served the call.
  openrouter: {
    protocol: 'openai',
    baseUrl: 'https://openrouter.ai/api/v1',
    apis: BOTH,
    lacks: [],
    cost: 'reported',
    pricedAs: 'openrouter',
  },
  // Some of its models take no schema, or none in a stream; they say so, and it is remembered.
  groq: {
    protocol: 'openai',
    baseUrl: 'https://api.groq.com/openai/v1',
    apis: BOTH,
    lacks: [],
    cost: null,
    pricedAs: 'groq',
  },
  // It refuses what it does not know (422): `stream_options`, though its streams end with their usage, and `max_completion_tokens`.
  mistral: {
    protocol: 'openai',
    baseUrl: 'https://api.mistral.ai/v1',
    apis: ['chat'],
    lacks: ['maxCompletionTokens', 'streamUsage'],
    cost: null,
    pricedAs: 'mistral',
  },
  // It takes `response_format: json_object`, and no schema.
  deepseek: {
    protocol: 'openai',
    baseUrl: 'https://api.deepseek.com',
    apis: ['chat'],
    lacks: ['maxCompletionTokens', 'structuredOutput'],
    cost: null,
    pricedAs: 'deepseek',
  },
  xai: {
    protocol: 'openai',
    baseUrl: 'https://api.x.ai/v1',
    apis: BOTH,
    lacks: [],
    cost: null,
    pricedAs: 'x-ai',
  },
  // It takes `max_completion_tokens` without a word, and then writes without end.
  ollama: {
    protocol: 'openai',
    baseUrl: 'http://127.0.0.1:11434/v1',
    apis: BOTH,
    lacks: ['maxCompletionTokens'],
    cost: null,
    pricedAs: null,
  },
  // Claude at Amazon and at Google, each with ids of its own for the models; the address follows from the region.
  bedrock: {
    protocol: 'anthropic',
    baseUrl: null,
    apis: [],
    lacks: [],
    cost: null,
    pricedAs: 'aws',
  },
  vertex: {
    protocol: 'anthropic',
    baseUrl: null,
    apis: [],
    lacks: [],
    cost: null,
    pricedAs: 'google',
  },
} as const satisfies { readonly [name: string]: VendorPreset };

export type Vendor = keyof typeof VENDORS;
/** What is spoken on the wire; `builtin`: nothing is. */
export type AdapterProtocol = 'builtin' | 'openai' | 'anthropic';
/** As it is written. */
export type Adapter = AdapterProtocol | Vendor;

const NAMES = Object.keys(VENDORS) as readonly Vendor[];

/** In the order in which a person would look for them. */
export const ADAPTERS: readonly Adapter[] = ['builtin', 'openai', 'anthropic', ...NAMES];

export function vendorOfAdapter(adapter: Adapter): Vendor | undefined {
  return NAMES.find((name) => name === adapter);
}

export function presetOf(adapter: Adapter): VendorPreset | undefined {
  const vendor = vendorOfAdapter(adapter);
  return vendor && VENDORS[vendor];
}

export function protocolOf(adapter: Adapter): AdapterProtocol {
  return adapter === 'builtin' || adapter === 'openai' || adapter === 'anthropic'
    ? adapter
    : VENDORS[adapter].protocol;
}

/** The version of Azure's API where none is written: the newest of each that is settled. */
export const AZURE_API_VERSIONS: { readonly [api in Api]: string } = {
  chat: '2024-10-21',
  responses: '2025-04-01-preview',
};
