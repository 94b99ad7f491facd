// The price catalogue of @pydantic/genai-prices, turned into integer nano-dollars: its rates, our arithmetic.
import type * as GenaiPrices from '@pydantic/genai-prices';
import type { Provider as Vendor } from '@pydantic/genai-prices';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { divideUp, parseUsd, type NanoUsd } from '../../common/money.ts';
import type { PlanRates } from './types.ts';

export interface CatalogueQuery {
  /** The provider's name in the workflow, which is often the vendor's. */
  readonly provider: string;
  /** A literal base URL, where there is one: the vendor is recognised by it. */
  readonly baseUrl: string | null;
  /** The adapter's vendor, asked last, and only where no base URL leads elsewhere. */
  readonly adapterVendor: string | null;
  readonly model: string;
  /** Prices change with time: those in force then. */
  readonly atMs: number;
}

export interface CatalogueModel {
  /** `genai-prices 0.1.8`. */
  readonly source: string;
  readonly vendor: string;
  /** The catalogue's own name for the model. */
  readonly id: string;
  readonly contextTokens: number | null;
  /** Ascending by `fromInputTokens`; null: the catalogue knows the model but no price per token. */
  readonly tiers: readonly PlanRates[] | null;
}

export interface Catalogue {
  readonly source: string;
  find(query: CatalogueQuery): CatalogueModel | undefined;
  /** The names that the catalogue has for a vendor's models; none for an unknown vendor. */
  modelsOf(vendor: string): readonly string[];
  /** Every name by which the catalogue knows a vendor's models exactly, dated versions too. */
  exactNamesOf(vendor: string): readonly string[];
}

/** A catalogue's price: dollars, or dollars by the size of the whole input. */
type CataloguePrice =
  | number
  | { readonly base: number; readonly tiers: readonly { readonly start: number; readonly price: number }[] }
  | undefined;

/** Dollars (a JSON number with nine places at most) → nano-dollars. The decimal text is what is converted, not the float. */
export function nanoFromDollars(dollars: number): NanoUsd {
  const nano = parseUsd(dollars.toFixed(9));
  if (nano === undefined || nano < 0n) throw new Error(`not a price: ${dollars}`);
  return nano;
}

/** A price applies from one token beyond its tier's `start`: the catalogue compares with `>`. */
function priceAt(price: CataloguePrice, fromInputTokens: number): NanoUsd | undefined {
  if (price === undefined) return undefined;
  if (typeof price === 'number') return nanoFromDollars(price);
  let chosen = price.base;
  for (const tier of [...price.tiers].sort((left, right) => left.start - right.start))
    if (fromInputTokens > tier.start) chosen = tier.price;
  return nanoFromDollars(chosen);
}

/** The catalogue's prices of one model as rates; null when it has none per token. */
export function ratesFromCatalogue(prices: {
  readonly [key: string]: CataloguePrice;
}): readonly PlanRates[] | null {
  if (prices['input_mtok'] === undefined || prices['output_mtok'] === undefined) return null;
  const starts = new Set([0]);
  for (const price of Object.values(prices))
    if (typeof price === 'object') for (const tier of price.tiers) starts.add(tier.start + 1);
  return [...starts]
    .sort((left, right) => left - right)
    .map((fromInputTokens) => {
      const at = (key: string): NanoUsd | undefined => priceAt(prices[key], fromInputTokens);
      const input = at('input_mtok') ?? 0n;
      const output = at('output_mtok') ?? 0n;
      return {
        fromInputTokens,
        input,
        cachedInput: at('cache_read_mtok') ?? input,
        cacheWrite: at('cache_write_mtok') ?? input,
        output,
        reasoning: at('output_reasoning_mtok') ?? output,
        request: divideUp(at('requests_kcount') ?? 0n, 1000n),
      };
    });
}

/** The offline catalogue that is installed; nothing is fetched. */
export async function loadCatalogue(): Promise<Catalogue> {
  return catalogueOf(await import('@pydantic/genai-prices'), `genai-prices ${CATALOGUE_VERSION}`);
}

/**
 * Another catalogue: the text of genai-prices' own data.json. The package holds one set of prices in a process, so this replaces the
 * installed one: for a command that ends after it.
 */
export async function catalogueFromText(text: string, source: string): Promise<Catalogue> {
  const library = await import('@pydantic/genai-prices');
  let vendors: unknown;
  try {
    vendors = JSON.parse(text);
  } catch (error) {
    throw notACatalogue(source, error);
  }
  const list = Array.isArray(vendors) ? vendors : (vendors as { providers?: unknown } | null)?.providers;
  if (!Array.isArray(list)) throw notACatalogue(source);
  library.updatePrices(({ setProviderData }) => setProviderData(list as Vendor[]));
  return catalogueOf(library, source);
}

function notACatalogue(source: string, cause?: unknown): HeadgateError {
  return new HeadgateError(
    'CATALOGUE_INVALID',
    `${source} is not a price catalogue`,
    "Give genai-prices' data.json.",
    { cause },
  );
}

function catalogueOf(
  { calcPrice, findProvider }: Pick<typeof GenaiPrices, 'calcPrice' | 'findProvider'>,
  source: string,
): Catalogue {
  const vendorOf = (query: CatalogueQuery): ReturnType<typeof findProvider> => {
    const named = findProvider({ providerId: query.provider });
    if (named) return named;
    if (query.baseUrl !== null) return findProvider({ providerApiUrl: query.baseUrl });
    return query.adapterVendor === null ? undefined : findProvider({ providerId: query.adapterVendor });
  };
  return {
    source,
    find(query) {
      const vendor = vendorOf(query);
      if (!vendor) return undefined;
      const found = calcPrice({ input_tokens: 0, output_tokens: 0 }, query.model, {
        providerId: vendor.id,
        timestamp: new Date(query.atMs),
      });
      if (!found) return undefined;
      return {
        source,
        vendor: vendor.id,
        id: found.model.id,
        contextTokens: found.model.context_window ?? null,
        // Vectors are no output that anyone bills.
        tiers: ratesFromCatalogue(
          EMBEDDING.test(found.model.id) ? { output_mtok: 0, ...found.model_price } : found.model_price,
        ),
      };
    },
    modelsOf: (vendor) => findProvider({ providerId: vendor })?.models.map((model) => model.id) ?? [],
    exactNamesOf: (vendor) =>
      findProvider({ providerId: vendor })?.models.flatMap(({ match }) => exactNames(match)) ?? [],
  };
}

/** Priced by their input alone. */
const EMBEDDING = /embed/i;

function exactNames(match: GenaiPrices.MatchLogic): readonly string[] {
  if ('equals' in match) return [match.equals];
  return 'or' in match ? match.or.flatMap(exactNames) : [];
}

/** Pinned in package.json; a test holds the two together. */
export const CATALOGUE_VERSION = '0.1.8';
/** The day on which that version was published. */
export const CATALOGUE_PUBLISHED_MS = Date.UTC(2026, 8, 23);
