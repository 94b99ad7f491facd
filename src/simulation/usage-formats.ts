// What gateways and vendors call the columns of their usage exports. Names are compared by their letters and digits alone: `startTime` is `start_time`.

export type UsageField =
  | 'time'
  | 'end'
  | 'firstToken'
  | 'model'
  | 'provider'
  | 'calls'
  | 'input'
  | 'uncachedInput'
  | 'cachedInput'
  | 'cacheWrite'
  | 'output'
  | 'cost'
  | 'caller'
  | 'team'
  | 'latencyMs'
  | 'latencyS'
  | 'firstTokenMs'
  | 'status'
  | 'text'
  | 'kind';

/** Best first: of those that a row has, the first that is not empty is read; `cacheWrite` and `input` of a vendor that splits them are added up. */
export const COLUMNS: { readonly [field in UsageField]: readonly string[] } = {
  time: [
    'starttime',
    'starttimeiso',
    'requestcreatedat',
    'createdat',
    'timestamp',
    'usagedateutc',
    'startingat',
    'date',
    'datetime',
    'time',
    'usagedate',
  ],
  end: ['endtime', 'endtimeiso', 'endingat', 'responsecreatedat', 'completedat'],
  firstToken: ['completionstarttime'],
  model: [
    'modelpermaslug',
    'providedmodelname',
    'model',
    'modelversion',
    'requestmodel',
    'responsemodel',
    'modelname',
    'modelgroup',
    'modelid',
    'lineitem',
  ],
  provider: ['customllmprovider', 'provider', 'providername', 'vendor'],
  calls: ['nummodelrequests', 'apirequests', 'requests', 'nrequests', 'requestcount'],
  input: [
    'prompttokens',
    'tokensprompt',
    'inputtokens',
    'inputusage',
    'usagedetailsinput',
    'usageinput',
    'usageprompttokens',
    'requesttokens',
    'ncontexttokenstotal',
  ],
  uncachedInput: ['usageinputtokensnocache', 'uncachedinputtokens'],
  cachedInput: [
    'usageinputtokenscacheread',
    'inputcachedtokens',
    'cachereadinputtokens',
    'tokenscached',
    'promptcachereadtokens',
    'usagedetailsinputcachedtokens',
    'cachedtokens',
  ],
  cacheWrite: [
    'usageinputtokenscachewrite5m',
    'usageinputtokenscachewrite1h',
    'cachecreationinputtokens',
    'promptcachewritetokens',
  ],
  output: [
    'completiontokens',
    'tokenscompletion',
    'outputtokens',
    'usageoutputtokens',
    'outputusage',
    'usagedetailsoutput',
    'usageoutput',
    'usagecompletiontokens',
    'responsetokens',
    'ngeneratedtokenstotal',
  ],
  cost: [
    'spend',
    'costtotal',
    'totalcost',
    'calculatedtotalcost',
    'costdetailstotal',
    'costusd',
    'totalcostusd',
    'amountvalue',
    'cost',
    'usage',
  ],
  caller: [
    'enduser',
    'user',
    'userid',
    'apikeyname',
    'keyname',
    'apikey',
    'apikeyid',
    'heliconeuserid',
    'requestuserid',
    'appname',
    'projectname',
    'projectid',
  ],
  team: ['teamid', 'team', 'workspace', 'workspaceid'],
  latencyMs: [
    'generationtimems',
    'delayms',
    'latencyms',
    'responsedelayms',
    'requestdurationms',
    'durationms',
  ],
  latencyS: ['latencyseconds', 'latency', 'duration'],
  firstTokenMs: ['timetofirsttokenms', 'ttftms', 'timetofirsttoken'],
  status: ['status', 'responsestatus', 'statuscode', 'level', 'cancelled'],
  text: ['cachekey', 'messages', 'requestbody', 'prompt', 'request', 'input'],
  kind: ['type', 'calltype'],
};

export interface UsageFormat {
  readonly name: string;
  /** Columns that no other has together. */
  readonly signature: readonly string[];
  /** What is known of it: the product's own source, or its documentation alone. */
  readonly knownFrom: 'source' | 'documents';
  /** Rows of other kinds are no calls; by the column `kind`. */
  readonly only?: readonly string[];
  /** Whose models these are, where no column says so. */
  readonly provider?: string;
}

/** The first whose signature is there. */
export const FORMATS: readonly UsageFormat[] = [
  {
    name: "LiteLLM's spend logs",
    signature: ['requestid', 'spend', 'prompttokens', 'completiontokens', 'starttime'],
    knownFrom: 'source',
  },
  {
    name: "LiteLLM's spend by day",
    signature: ['spend', 'prompttokens', 'apirequests', 'date'],
    knownFrom: 'source',
  },
  {
    name: "OpenAI's usage",
    signature: ['nummodelrequests', 'inputtokens', 'outputtokens', 'starttime'],
    knownFrom: 'documents',
    provider: 'openai',
  },
  {
    name: "OpenAI's costs",
    signature: ['amountvalue', 'lineitem', 'starttime'],
    knownFrom: 'documents',
    provider: 'openai',
  },
  {
    name: "Anthropic's usage",
    signature: ['usagedateutc', 'usageinputtokensnocache', 'usageoutputtokens'],
    knownFrom: 'documents',
    provider: 'anthropic',
  },
  {
    name: "Anthropic's cost",
    signature: ['usagedateutc', 'costusd', 'model'],
    knownFrom: 'documents',
    provider: 'anthropic',
  },
  {
    name: "OpenRouter's activity",
    signature: ['modelpermaslug'],
    knownFrom: 'documents',
    provider: 'openrouter',
  },
  {
    name: "Langfuse's observations",
    signature: ['traceid', 'starttime', 'type'],
    knownFrom: 'documents',
    only: ['generation'],
  },
  { name: "Helicone's requests", signature: ['requestcreatedat'], knownFrom: 'documents' },
];

export const plainName = (column: string): string => column.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
