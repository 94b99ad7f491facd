// Exports of usage: each format from a small file with the columns that its vendor documents, and tables of one's own.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readUsageExport, type UsageExport } from '../../src/simulation/usage-export.ts';
import { remove, workflowsFolder } from './support.ts';

const folder = workflowsFolder('http://127.0.0.1:9');
afterAll(() => remove(folder));

let files = 0;
async function read(text: string): Promise<UsageExport> {
  files += 1;
  const path = join(folder, `export-${files}`);
  writeFileSync(path, text);
  return readUsageExport(path);
}

const NOON = Date.UTC(2026, 9, 5, 12);
const bucket = (result: object): string =>
  JSON.stringify({
    object: 'page',
    data: [
      {
        object: 'bucket',
        start_time: NOON / 1_000,
        end_time: NOON / 1_000 + 3_600,
        results: [result],
      },
    ],
    has_more: false,
  });

const EXPORTS: readonly (readonly [string, string, object])[] = [
  [
    "LiteLLM's spend logs",
    'request_id,call_type,api_key,spend,total_tokens,prompt_tokens,completion_tokens,startTime,endTime,completionStartTime,model,custom_llm_provider,user,metadata,cache_key,team_id,end_user,status\n' +
      'c1,acompletion,hash,0.0105,1200,1000,200,2026-10-05 12:00:00,2026-10-05 12:00:03.5,2026-10-05 12:00:01,gpt-4o,openai,ana,"{""a"": 1}",k1,team,,success\n',
    {
      atMs: NOON,
      calls: 1,
      provider: 'openai',
      model: 'gpt-4o',
      inputTokens: 1_000,
      outputTokens: 200,
      costNanoUsd: 10_500_000n,
      caller: 'ana',
      team: 'team',
      latencyMs: 3_500,
      firstTokenMs: 1_000,
    },
  ],
  [
    "LiteLLM's spend by day",
    'id,user_id,date,api_key,model,custom_llm_provider,prompt_tokens,completion_tokens,spend,api_requests\n1,ana,2026-10-05,h,claude-sonnet-5,anthropic,5000,1000,0.03,5\n',
    { calls: 5, spanMs: 86_400_000, provider: 'anthropic', inputTokens: 5_000, costNanoUsd: 30_000_000n },
  ],
  [
    "OpenAI's usage",
    bucket({
      object: 'organization.usage.completions.result',
      input_tokens: 9_000,
      input_cached_tokens: 2_000,
      output_tokens: 600,
      num_model_requests: 3,
      project_id: 'proj',
      user_id: null,
      model: 'gpt-4o-2024-08-06',
    }),
    {
      atMs: NOON,
      spanMs: 3_600_000,
      calls: 3,
      provider: 'openai',
      model: 'gpt-4o-2024-08-06',
      cachedInputTokens: 2_000,
      costNanoUsd: null,
      caller: 'proj',
    },
  ],
  [
    "OpenAI's costs",
    bucket({
      object: 'organization.costs.result',
      amount: { value: 0.06, currency: 'usd' },
      line_item: 'gpt-4o-2024-08-06, input',
      project_id: 'proj',
    }),
    { calls: null, model: 'gpt-4o-2024-08-06', inputTokens: null, costNanoUsd: 60_000_000n },
  ],
  [
    "Anthropic's usage",
    'usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,web_search_count\n' +
      '2026-10-05,claude-sonnet-5,key-a,Default,standard,≤ 200k,1000,200,50,4000,700,0\n',
    {
      calls: null,
      provider: 'anthropic',
      inputTokens: 5_250,
      cachedInputTokens: 4_000,
      cacheWriteTokens: 250,
      outputTokens: 700,
      caller: 'key-a',
      team: 'Default',
    },
  ],
  [
    "Anthropic's cost",
    'usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,cost_type\n2026-10-05,Claude Sonnet 5,Default,key-a,message,≤ 200k,input_no_cache,1.25,token\n',
    { model: 'claude-sonnet-5', costNanoUsd: 1_250_000_000n, inputTokens: null },
  ],
  [
    "Langfuse's observations",
    [
      { id: 'o0', traceId: 't', type: 'SPAN', startTime: '2026-10-05T12:00:00.000Z', model: null },
      {
        id: 'o1',
        traceId: 't',
        type: 'GENERATION',
        startTime: '2026-10-05T12:00:00.000Z',
        endTime: '2026-10-05T12:00:02.000Z',
        completionStartTime: '2026-10-05T12:00:00.400Z',
        providedModelName: 'gpt-4o',
        usageDetails: { input: 800, output: 90, total: 890 },
        totalCost: 0.0029,
        level: 'DEFAULT',
        input: [{ role: 'user', content: 'Hello' }],
      },
    ]
      .map((row) => JSON.stringify(row))
      .join('\n'),
    { inputTokens: 800, outputTokens: 90, costNanoUsd: 2_900_000n, latencyMs: 2_000, firstTokenMs: 400 },
  ],
  [
    "Helicone's requests",
    'request_id,request_created_at,response_status,request_model,prompt_tokens,completion_tokens,delay_ms,cost,user_id\nr1,2026-10-05T12:00:00.000Z,500,claude-haiku-4-5,10,1,250,$0.00002,ana\n',
    { provider: 'anthropic', failed: true, latencyMs: 250, costNanoUsd: 20_000n, caller: 'ana' },
  ],
  [
    "OpenRouter's activity",
    'generation_id,created_at,cost_total,tokens_prompt,tokens_completion,tokens_cached,model_permaslug,provider_name,cancelled,streamed,generation_time_ms,time_to_first_token_ms,app_name,api_key_name\ng1,2026-10-05 12:00:00.000,0.004,900,120,0,openai/gpt-4.1-2025-04-14,OpenAI,false,true,1800,300,app,ci\n',
    {
      provider: 'openrouter',
      model: 'openai/gpt-4.1-2025-04-14',
      latencyMs: 1_800,
      firstTokenMs: 300,
      caller: 'ci',
    },
  ],
];

describe('an export of usage', () => {
  it.each(EXPORTS)('is read as %s', async (name, text, row) => {
    const { format, rows, columns } = await read(text);
    expect(format?.name).toBe(name);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject(row);
    expect(columns.map(({ field }) => field)).toEqual(expect.arrayContaining(['time', 'model']));
  });

  it('that nobody knows is guessed by the names of its columns, and says so', async () => {
    const { format, rows, columns, skipped } = await read(
      'Timestamp;Model;Input Tokens;Output Tokens;Cost (USD)\n1791201600;gpt-4o;10;5;0.001\n;;;;\n',
    );
    expect(format).toBeNull();
    expect(rows[0]).toMatchObject({ atMs: 1_791_201_600_000, provider: 'openai', costNanoUsd: 1_000_000n });
    expect(columns).toContainEqual({ field: 'input', column: 'inputtokens' });
    expect(skipped).toBe(1);
  });

  it('INV-13: without a time, a model or a use is refused, with what it has and what is known', async () => {
    await expect(read('a,b\n1,2\n')).rejects.toMatchObject({ code: 'USAGE_UNKNOWN' });
    await expect(read('')).rejects.toMatchObject({ code: 'USAGE_UNKNOWN' });
    await expect(read('{"data": [')).rejects.toMatchObject({ code: 'USAGE_UNREADABLE' });
    await expect(readUsageExport(join(folder, 'not there'))).rejects.toMatchObject({
      code: 'USAGE_UNREADABLE',
    });
  });
});
