// Where executions find their providers by name: built from a plan, kept across reloads while its settings stay the same.
import type { Plan } from '../../language/plan/types.ts';
import type { Provider } from './port.ts';

export interface ProviderRegistry {
  /** The provider of that name in that plan. The same settings give the same instance, so sockets outlive a reload. */
  get(plan: Plan, name: string): Provider;
  /** Closes those that no plan in `live` uses any more. */
  retain(live: readonly Plan[]): Promise<void>;
  close(): Promise<void>;
}

/** Reads a secret by name at the moment of the call; undefined when it is not set. */
export type ReadSecret = (name: string) => string | undefined;
