// The Plan: everything an execution needs, resolved, frozen, and the same on every machine (INV-6).
import type { JsonObject, JsonSchema } from '../../common/json.ts';
import type { Limit } from '../../common/limit.ts';
import type { NanoUsd } from '../../common/money.ts';
import type {
  AlertTarget,
  AlertTopic,
  BudgetWindow,
  LoopKindName,
  StrategyName,
} from '../definition/types.ts';
import type { AdapterProtocol, Lack, Vendor } from '../definition/vendors.ts';
import type { ExpressionText, Template } from '../expression/types.ts';

export type { AlertTarget, AlertTopic, NamedOrWritten, StrategyName } from '../definition/types.ts';
export type { JsonSchema } from '../../common/json.ts';
export type { ExpressionText, Template } from '../expression/types.ts';

export interface Plan {
  readonly language: 1;
  /** SHA-256 of the canonical JSON of everything here but `hash` and `environment`: the same files give the same hash anywhere. */
  readonly hash: string;
  readonly providers: { readonly [name: string]: PlanProvider };
  /** Keyed `provider/model`; every model that a route mentions. */
  readonly models: { readonly [key: string]: PlanModel };
  readonly budgets: readonly PlanBudget[];
  readonly guards: PlanGuards;
  readonly tasks: { readonly [name: string]: PlanTask };
  /** What clients of other protocols may ask for, by the name that they send as the model's. Left out: nothing. */
  readonly exposed?: { readonly [name: string]: PlanExposed };
  /** Where alerts go, by name. Left out: nowhere. */
  readonly alerts?: { readonly [name: string]: PlanAlertSink };
  /** The environment variables that expressions mention, as they were when the plan was built; not part of the hash. */
  readonly environment: { readonly [name: string]: string | null };
}

export interface PlanAlertSink {
  readonly name: string;
  readonly target: AlertTarget;
  /** null: all. */
  readonly kinds: readonly AlertTopic[] | null;
  readonly from: 'info' | 'warning' | 'critical';
  /** The same is not told again for so long. */
  readonly dedupeMs: number;
  /** The most messages that it gets. */
  readonly rate: PlanRate;
  readonly report: PlanReport | null;
}

export interface PlanReport {
  readonly every: 'day' | 'week';
  readonly by: 'team' | 'task' | 'caller' | 'provider' | 'model';
  readonly timeZone: string;
}

export interface PlanExposed {
  /** Of `Plan.tasks`: one of the same name with an exchange step, or any other that is given the last message of the user. */
  readonly task: string;
  /** The field of the task's input that receives it; null: the client's own body goes to a model. */
  readonly input: string | null;
}

export interface PlanProvider {
  readonly name: string;
  /** The protocol that is spoken. */
  readonly adapter: AdapterProtocol;
  /** Who serves it, where the files name a vendor; left out: whoever is at the address. */
  readonly vendor?: Vendor;
  /** May read `env`; null: the adapter's own default. */
  readonly baseUrl: Template | null;
  /** The name of the secret (an environment variable, read at the call: INV-9); null: the provider needs no key. */
  readonly apiKeySecret: string | null;
  /** Of a pool of keys, those after the first; left out: there is one. */
  readonly moreApiKeySecrets?: readonly string[];
  readonly api: 'chat' | 'responses';
  /** `api` was not written: a client's own body may go to either API. */
  readonly anyApi?: true;
  readonly headers: { readonly [name: string]: Template };
  /** Further switches of the SDK, by its own names: organization, project… */
  readonly sdkOptions: JsonObject;
  /** What a compatible server lacks. */
  readonly lacks: readonly Lack[];
  readonly limits: PlanRateLimits;
  /** A call is settled at the provider's own figure; left out: at its tokens and the prices of the plan. */
  readonly cost?: 'reported';
}

export interface PlanRateLimits {
  /** null: no limit configured. */
  readonly requests: PlanRate | null;
  readonly tokens: PlanRate | null;
}
export interface PlanRate {
  readonly amount: number;
  readonly perMs: number;
}

export interface PlanModel {
  /** `provider/model`. */
  readonly key: string;
  readonly provider: string;
  /** The name on the wire. */
  readonly model: string;
  /** Input and output together. */
  readonly contextTokens: number;
  /** The most that the model can be asked for; null: unknown. */
  readonly maxOutputTokens: number | null;
  /** A rank given by the team, 1 and up; `balanced` and `downgrade` read it. */
  readonly quality: number;
  readonly capabilities: readonly Capability[];
  readonly price: PlanPrice;
  readonly policy: PlanPolicy;
  /** Limits of this model alone, beside its provider's. */
  readonly limits: PlanRateLimits;
}

export type Capability = 'text' | 'structuredOutput' | 'streaming';

export type PlanPrice =
  | { readonly kind: 'free' }
  | {
      readonly kind: 'rates';
      /** Where they come from: `genai-prices 0.1.8` or `yaml`. */
      readonly source: string;
      /** In ascending order of `fromInputTokens`; the first starts at 0. The tier is chosen by the request's whole input. */
      readonly tiers: readonly PlanRates[];
    };

/** Nano-dollars per million tokens. */
export interface PlanRates {
  readonly fromInputTokens: number;
  readonly input: NanoUsd;
  readonly cachedInput: NanoUsd;
  readonly cacheWrite: NanoUsd;
  readonly output: NanoUsd;
  /** Reasoning tokens are part of the output tokens; most catalogues bill them alike. */
  readonly reasoning: NanoUsd;
  /** Per request, on top of tokens. */
  readonly request: NanoUsd;
}

export interface PlanPolicy {
  readonly name: string;
  /** One attempt, from call to the whole answer. */
  readonly timeoutMs: number;
  readonly firstTokenMs: number;
  readonly stallMs: number;
  /** Left out: only streams are watched for silence. */
  readonly watch?: 'fallback';
  readonly retry: {
    /** Retries on the same candidate, after its first attempt. */
    readonly attempts: number;
    readonly backoff: 'exponential' | 'constant';
    readonly initialDelayMs: number;
    readonly maxDelayMs: number;
  };
  readonly circuitBreaker:
    | {
        readonly kind: 'sampling';
        readonly threshold: number;
        readonly windowMs: number;
        readonly minimumCalls: number;
        readonly halfOpenAfterMs: number;
      }
    | { readonly kind: 'consecutive'; readonly failures: number; readonly halfOpenAfterMs: number };
  readonly bulkhead: { readonly concurrent: number; readonly queue: number };
}

export type BudgetAction = 'reject' | 'downgrade' | 'warn';

export interface PlanBudget {
  /** Stable across revisions: `company`, or `task:email-parse` for a task's own. Counters and holds are kept under it. */
  readonly id: string;
  readonly name: string;
  readonly scope:
    | { readonly kind: 'all' }
    | { readonly kind: 'provider'; readonly provider: string }
    | { readonly kind: 'model'; readonly model: string }
    | { readonly kind: 'task'; readonly task: string };
  /** One account for each value: the caller's name, its team, a session of the caller's, or the value of a tag; null: one account in all. */
  readonly each:
    | { readonly kind: 'caller' }
    | { readonly kind: 'team' }
    | { readonly kind: 'session' }
    | { readonly kind: 'tag'; readonly tag: string }
    | null;
  readonly when: ExpressionText | null;
  readonly limit: Limit;
  readonly per: PlanWindow;
  /** Shares of the limit, 0 to 1, ascending. */
  readonly warnAt: readonly number[];
  readonly then: BudgetAction;
}

export type PlanWindow = BudgetWindow;

export interface PlanGuards {
  readonly loop: PlanLoops | null;
  readonly surge: PlanSurgeGuard | null;
}
export interface PlanLoops {
  /** Asked in this order; the first that trips answers, and those after it do not hear of that try. */
  readonly guards: readonly PlanLoopGuard[];
  /** The most nested task calls, and the most child runs and items one run may start. */
  readonly depth: number;
  readonly fanOut: number;
}
export interface PlanLoopGuard {
  /** What is compared: the input as it is, or but for what varies by itself. */
  readonly same: LoopKindName;
  /** Input fields left out of the comparison: volatile ones such as a time. */
  readonly ignore: readonly string[];
  readonly repeats: number;
  readonly withinMs: number;
  readonly then: 'reuse' | 'reject' | 'pause';
  /** Tries of one session are counted together; left out: those of a caller. */
  readonly each?: 'session';
}
export interface PlanSurgeGuard {
  /** Times the baseline. */
  readonly factor: number;
  readonly overMs: number;
  readonly baselineMs: number;
  readonly floorNanoUsd: NanoUsd;
  readonly then: 'warn' | 'pause';
}

export interface PlanTask {
  readonly name: string;
  readonly description: string;
  /** A reason when the task is deprecated. */
  readonly deprecated: string | null;
  /** Content hash of this task and all it uses; part of the cache's key. */
  readonly revision: string;
  /** The file it came from, relative to the workflows folder. */
  readonly file: string;
  /** `type: object`; defaults that are expressions are in `inputDefaults`. */
  readonly inputSchema: JsonSchema;
  readonly inputDefaults: { readonly [property: string]: Template };
  /** Of the whole output, as far as it can be inferred; `{}` where it cannot. */
  readonly outputSchema: JsonSchema;
  readonly allowance: PlanAllowance;
  /** Of the started runs that wait, the larger is begun first. Left out: 0. */
  readonly priority?: number;
  readonly cache: { readonly forMs: number } | null;
  readonly retain: { readonly content: 'full' | 'redacted' | 'hash'; readonly forMs: number };
  /** The project's loop guards, or the task's own. */
  readonly loop: PlanLoops | null;
  /** The key of the model that its savings are counted against: the project's, or its own; null: none. Left out in plans stored before there was the word. */
  readonly baseline?: string | null;
  /** In an order in which each comes after those it reads. */
  readonly steps: readonly PlanStep[];
  readonly output: Template;
}

export interface PlanAllowance {
  readonly deadlineMs: number;
  /** Calls to providers, in all: retries, fallbacks, hedges, items and child tasks. */
  readonly attempts: number;
  /** null: only the budgets limit it. */
  readonly costNanoUsd: NanoUsd | null;
}

interface PlanStepBase {
  readonly key: string;
  /** Keys of the steps that it reads. */
  readonly after: readonly string[];
  readonly when: ExpressionText | null;
  readonly each: { readonly list: ExpressionText; readonly as: string; readonly concurrent: number } | null;
  /** Of one item where there is `each`. */
  readonly outputSchema: JsonSchema;
}

export interface PlanModelStep extends PlanStepBase {
  readonly kind: 'model';
  readonly route: PlanRoute;
  readonly system: Template | null;
  readonly prompt: Template;
  readonly maxOutputTokens: number;
  readonly temperature: number | null;
  /** Asked of the provider and checked; null: plain text, `steps.NAME.text`. */
  readonly structured: JsonSchema | null;
  readonly accept: ExpressionText | null;
  /** The provider is not asked to keep the beginning of the prompt; left out: it is, where that pays. */
  readonly promptCache?: 'off';
}
export interface PlanParseStep extends PlanStepBase {
  readonly kind: 'parse';
  readonly format: 'email' | 'diff' | 'json' | 'csv';
  readonly from: Template;
}
export interface PlanChunkStep extends PlanStepBase {
  readonly kind: 'chunk';
  readonly from: Template;
  readonly tokens: number;
  readonly overlapTokens: number;
}
export interface PlanTaskStep extends PlanStepBase {
  readonly kind: 'task';
  readonly task: string;
  readonly input: Template;
}
/** The one step of an exposed name: the client's own body goes to a candidate that speaks its protocol, and the answer comes back as it is. */
export interface PlanExchangeStep extends PlanStepBase {
  readonly kind: 'exchange';
  readonly route: PlanRoute;
  /** The most that a call may ask for; null: what it asks for, or else the most that the model gives. */
  readonly maxOutputTokens: number | null;
  /** By model, each that the route names: a person or an agent waits, and for long. */
  readonly patience: { readonly [model: string]: PlanPatience };
}
export interface PlanPatience {
  readonly timeoutMs: number;
  readonly firstTokenMs: number;
  readonly stallMs: number;
}
export type PlanStep = PlanModelStep | PlanExchangeStep | PlanParseStep | PlanChunkStep | PlanTaskStep;

export interface PlanRoute {
  /** The route's name, or `TASK.STEP` for rules written in place. */
  readonly name: string;
  readonly pin: boolean;
  readonly rules: readonly PlanRule[];
}
export interface PlanRule {
  /** `cheap-first[1]`: the route's name and the rule's number, from 0. */
  readonly name: string;
  readonly when: ExpressionText | null;
  readonly pick: StrategyName;
  readonly candidates: readonly PlanCandidate[];
  readonly hedge: {
    readonly after:
      | { readonly kind: 'percentile'; readonly percentile: number }
      | { readonly kind: 'delay'; readonly ms: number };
    readonly atMost: number;
  } | null;
}
export interface PlanCandidate {
  /** A key of `Plan.models`. */
  readonly model: string;
  /** For `weighted`; else 1. */
  readonly weight: number;
}
