// The part of a Definition that comes from the project file: providers, models, policies, routes, budgets, guards.
import type { JsonObject } from '../../common/json.ts';
import type { NanoUsd } from '../../common/money.ts';
import type { Place } from '../../errors/place.ts';
import type { Adapter, Lack } from './vendors.ts';
import type {
  Expression,
  LocatedTemplate,
  LoopGuardDefinition,
  PromptCacheSetting,
  RetainDefinition,
  TaskBudgetDefinition,
} from './types.ts';

export interface ProjectDefinition {
  readonly file: string;
  readonly at: Place;
  /** In the order of the file, as all maps here. */
  readonly providers: { readonly [name: string]: ProviderDefinition };
  /** Keyed `provider/model`; only what the catalogue lacks or the team overrides. */
  readonly models: { readonly [key: string]: ModelDefinition };
  readonly policies: { readonly [name: string]: PolicyDefinition };
  readonly routes: { readonly [name: string]: RouteDefinition };
  readonly budgets: { readonly [name: string]: BudgetDefinition };
  readonly guards: {
    readonly loop: readonly LoopGuardDefinition[] | null;
    readonly surge: SurgeGuardDefinition | null;
  };
  /** Where alerts go. */
  readonly alerts: { readonly [name: string]: AlertSinkDefinition };
  /** The model that savings are counted against, `provider/model`; null: none. */
  readonly baseline: Reference | null;
  /** null: `on`. */
  readonly promptCache: PromptCacheSetting | null;
  /** What clients of other protocols may ask for, by the name that they send as the model's. */
  readonly exposed: { readonly [name: string]: ExposedDefinition };
}

/** What alerts are about, as sinks choose among them. */
export type AlertTopic =
  | 'budget'
  | 'forecast'
  | 'surge'
  | 'loop'
  | 'pause'
  | 'circuit'
  | 'revision'
  | 'prices'
  | 'unreconciled'
  | 'usage'
  | 'ledger'
  /** Started runs that failed, with nobody who waits for them. */
  | 'run';

/** The name of a secret (an environment variable), or a text that is none. */
export type NamedOrWritten =
  | { readonly kind: 'secret'; readonly name: string }
  | { readonly kind: 'text'; readonly text: string };

export type AlertTarget =
  | { readonly kind: 'webhook'; readonly url: NamedOrWritten; readonly secret: NamedOrWritten | null }
  | { readonly kind: 'slack'; readonly url: NamedOrWritten }
  | {
      readonly kind: 'email';
      readonly to: readonly string[];
      readonly smtp: NamedOrWritten;
      readonly sender: string | null;
    }
  | { readonly kind: 'pagerduty'; readonly key: NamedOrWritten; readonly endpoint: NamedOrWritten | null };

/** null: not said, so the plan's default. */
export interface AlertSinkDefinition {
  readonly name: string;
  readonly at: Place;
  readonly target: AlertTarget;
  readonly kinds: readonly AlertTopic[] | null;
  readonly from: 'info' | 'warning' | 'critical' | null;
  readonly dedupeMs: number | null;
  readonly rate: RateDefinition | null;
  readonly report: {
    readonly every: 'day' | 'week';
    readonly by: 'team' | 'task' | 'caller' | 'provider' | 'model' | null;
    readonly timeZone: string | null;
    readonly at: Place;
  } | null;
}

export interface ExposedDefinition {
  readonly name: string;
  readonly at: Place;
  readonly serves:
    | { readonly kind: 'route'; readonly route: RouteReference }
    /** `input`: the field that receives the last message of the user. */
    | { readonly kind: 'task'; readonly task: Reference; readonly input: Reference };
  /** null: as many as the client asks for. */
  readonly maxOutputTokens: number | null;
  readonly policy: Reference | null;
  readonly retain: RetainDefinition | null;
}

export type ProviderLack = Lack;

export interface ProviderDefinition {
  readonly name: string;
  readonly at: Place;
  readonly adapter: Adapter;
  /** May read `env`; null: the adapter's own. */
  readonly baseUrl: LocatedTemplate | null;
  /** The name of the secret, never its value; null: the provider needs no key. */
  readonly apiKeySecret: { readonly name: string; readonly at: Place } | null;
  /** Of a pool, the keys after the first. */
  readonly moreApiKeySecrets: readonly { readonly name: string; readonly at: Place }[];
  readonly api: 'chat' | 'responses' | null;
  readonly headers: { readonly [name: string]: LocatedTemplate };
  /** organization, project, …: the SDK's own names. */
  readonly sdkOptions: JsonObject;
  /** null: not said, so what the adapter's vendor is known to lack. */
  readonly lacks: readonly ProviderLack[] | null;
  /** With `adapter: azure`: by the name of a model, the name of its deployment. */
  readonly deployments: { readonly [model: string]: string };
  readonly policy: Reference | null;
  readonly limits: RateLimitsDefinition;
  readonly cost: 'priced' | 'reported' | null;
  /** For every model of this provider that has no price of its own. */
  readonly price: PriceDefinition | null;
}

/** A name that is looked up elsewhere, and where it stands. */
export interface Reference {
  readonly name: string;
  readonly at: Place;
}

export interface RateLimitsDefinition {
  readonly requests: RateDefinition | null;
  readonly tokens: RateDefinition | null;
}
export interface RateDefinition {
  readonly amount: number;
  readonly perMs: number;
}

export type PriceDefinition =
  | { readonly kind: 'free'; readonly at: Place }
  /** Nano-dollars per million tokens (`request`: per request); null: not said. */
  | {
      readonly kind: 'rates';
      readonly input: NanoUsd;
      readonly cachedInput: NanoUsd | null;
      readonly cacheWrite: NanoUsd | null;
      readonly output: NanoUsd;
      readonly reasoning: NanoUsd | null;
      readonly request: NanoUsd | null;
      readonly at: Place;
    };

export type CapabilityName = 'text' | 'structuredOutput' | 'streaming';

export interface ModelDefinition {
  /** `provider/model`; the model may itself contain slashes. */
  readonly key: string;
  readonly at: Place;
  readonly provider: string;
  readonly model: string;
  readonly contextTokens: number | null;
  readonly maxOutputTokens: number | null;
  readonly quality: number | null;
  readonly capabilities: readonly CapabilityName[] | null;
  readonly price: PriceDefinition | null;
  readonly policy: Reference | null;
  readonly limits: RateLimitsDefinition;
}

/** null: not said, so the plan's default. */
export interface PolicyDefinition {
  readonly name: string;
  readonly at: Place;
  readonly timeoutMs: number | null;
  readonly firstTokenMs: number | null;
  readonly stallMs: number | null;
  /** `fallback`: also of calls that are not streamed to their caller, while another candidate can serve. */
  readonly watch: 'streams' | 'fallback' | null;
  readonly retry: RetryDefinition | null;
  readonly circuitBreaker: CircuitBreakerDefinition | null;
  readonly bulkhead: {
    readonly concurrent: number | null;
    readonly queue: number | null;
    readonly at: Place;
  } | null;
}
export interface RetryDefinition {
  readonly attempts: number | null;
  readonly backoff: 'exponential' | 'constant' | null;
  readonly initialDelayMs: number | null;
  readonly maxDelayMs: number | null;
  readonly at: Place;
}
export type CircuitBreakerDefinition =
  | {
      readonly kind: 'sampling';
      /** A share, 0 to 1. */
      readonly threshold: number | null;
      readonly windowMs: number | null;
      readonly minimumCalls: number | null;
      readonly halfOpenAfterMs: number | null;
      readonly at: Place;
    }
  /** `{ failures: 5 }`: so many in a row. */
  | {
      readonly kind: 'consecutive';
      readonly failures: number;
      readonly halfOpenAfterMs: number | null;
      readonly at: Place;
    };

export interface RouteDefinition {
  /** The route's name, or `TASK.STEP` for rules written in place. */
  readonly name: string;
  readonly at: Place;
  readonly pin: boolean;
  readonly rules: readonly RuleDefinition[];
}
/** How candidates that can serve are ordered: a file of its name in `engine/routing/strategies/`. */
export type StrategyName = 'first' | 'cheapest' | 'fastest' | 'balanced' | 'weighted';

export interface RuleDefinition {
  readonly at: Place;
  readonly when: Expression | null;
  /** `weighted` where nothing is said and `from` is a map; null: not said, so `first`. */
  readonly pick: StrategyName | null;
  readonly from: readonly CandidateDefinition[];
  readonly hedge: HedgeDefinition | null;
}
export interface CandidateDefinition {
  /** `provider/model`. */
  readonly model: string;
  readonly provider: string;
  /** Where `from` is a map; else 1. */
  readonly weight: number;
  readonly at: Place;
}
export interface HedgeDefinition {
  /** A percentile from 0 to 100, exclusive; or a fixed delay. */
  readonly after:
    | { readonly kind: 'percentile'; readonly percentile: number }
    | { readonly kind: 'delay'; readonly ms: number };
  readonly atMost: number | null;
  readonly at: Place;
}

/** On a step: the name of a route of the project, or rules written in place. */
export type RouteReference =
  | { readonly kind: 'named'; readonly name: string; readonly at: Place }
  | { readonly kind: 'inline'; readonly route: RouteDefinition };

export interface BudgetDefinition extends TaskBudgetDefinition {
  readonly name: string;
  readonly scope:
    | { readonly kind: 'all' }
    | { readonly kind: 'provider'; readonly provider: Reference }
    | { readonly kind: 'model'; readonly model: Reference }
    | { readonly kind: 'task'; readonly task: Reference };
}

export interface SurgeGuardDefinition {
  /** Times the baseline. */
  readonly factor: number;
  readonly overMs: number;
  readonly baselineMs: number;
  readonly floorNanoUsd: NanoUsd;
  readonly then: 'warn' | 'pause';
  readonly at: Place;
}
