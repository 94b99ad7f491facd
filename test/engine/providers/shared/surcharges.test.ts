// What is billed beside tokens, or at other rates than those of text, in the words of those who bill it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatReader } from '../../../../src/engine/providers/openai/chat.ts';
import { responsesReader } from '../../../../src/engine/providers/openai/responses.ts';
import { foreseenFees } from '../../../../src/engine/providers/shared/surcharges.ts';
import { UsageReport } from '../../../../src/engine/providers/shared/usage.ts';

const said = (...usages: readonly unknown[]) => {
  const report = new UsageReport(false);
  for (const usage of usages) report.add(usage);
  return report.surcharges.list();
};
const search = (action?: string, status = 'completed') => ({
  type: 'web_search_call',
  status,
  ...(action === undefined ? {} : { action: { type: action } }),
});
const ofItems = (...output: readonly object[]) => {
  const { reading, whole } = responsesReader();
  whole({ status: 'completed', output });
  return reading.reported.surcharges.list();
};

describe('what a request’s own tools may cost beside tokens', () => {
  it.each<readonly [string, { readonly [name: string]: unknown }, bigint]>([
    [
      'by Anthropic’s bound of a tool',
      { tools: [{ type: 'web_search_20250305', max_uses: 5 }] },
      50_000_000n,
    ],
    [
      'by OpenAI’s bound of a response, and a container once',
      { tools: [{ type: 'web_search' }, { type: 'code_interpreter' }], max_tool_calls: 3 },
      60_000_000n,
    ],
    ['by one call where there is no bound', { tools: [{ type: 'file_search' }] }, 2_500_000n],
    ['nothing for the client’s own tools', { tools: [{ type: 'function' }, null, { name: 'f' }] }, 0n],
    ['nothing where there are none', { tools: 'x', max_tool_calls: 9 }, 0n],
    ['no more than any answer has', { tools: [{ type: 'web_search', max_uses: 1e300 }] }, 10_000_000n],
  ])('is foreseen %s', (_how, request, fees) => {
    expect(foreseenFees(request)).toBe(fees);
  });
});

describe('what is billed beside tokens', () => {
  it.each<readonly [string, object, readonly object[]]>([
    [
      'Anthropic’s searches; fetching a page is free',
      { server_tool_use: { web_search_requests: 5, web_fetch_requests: 2 } },
      [{ what: '5 × web search', usd: '0.05' }],
    ],
    ['none of them', { server_tool_use: { web_search_requests: 0 } }, []],
    [
      'a tool that is not known here',
      { server_tool_use: { oracle_requests: 2 } },
      [{ what: "2 × another of the provider's own tools" }],
    ],
    [
      'xAI’s own tools',
      { server_side_tool_usage_details: { web_search_calls: 2, x_search_calls: 1, mcp_calls: 4 } },
      [
        { what: '2 × web search', usd: '0.01' },
        { what: '1 × search of X', usd: '0.005' },
      ],
    ],
    ['xAI’s sources', { num_sources_used: 10 }, [{ what: '10 × source of a search', usd: '0.25' }]],
    [
      'Perplexity’s fees, beside its prices of tokens',
      { num_search_queries: 3, cost: { input_tokens_cost: 0.00004, request_cost: 0.006, total_cost: 0.01 } },
      [{ what: 'fees that the provider tells', usd: '0.006000000' }],
    ],
    ['Perplexity’s searches without a price', { num_search_queries: 3 }, [{ what: '3 × search query' }]],
    [
      'sound in and out, and images that were made',
      {
        prompt_tokens_details: { audio_tokens: 8, image_tokens: 700 },
        completion_tokens_details: { audio_tokens: 482, image_tokens: 9, text_tokens: 3 },
      },
      [
        { what: '8 tokens of sound heard' },
        { what: '482 tokens of sound made' },
        { what: '9 tokens of images made' },
      ],
    ],
    [
      'a faster mode, in one place',
      { speed: 'fast', inference_geo: 'us' },
      [
        { what: 'the fast mode', percent: 100 },
        { what: 'inference in the US alone', percent: 10 },
      ],
    ],
    ['what is served as the list has it', { speed: 'standard', inference_geo: 'not_available' }, []],
    [
      'more than can be',
      { server_tool_use: { web_search_requests: 1e12 } },
      [{ what: '1000000000000 × web search' }],
    ],
  ])('%s', (_title, usage, expected) => {
    expect(said(usage)).toEqual(expected);
  });

  it('what the beginning of a stream says holds where its end says nothing, and the larger count counts', () => {
    expect(
      said(
        { speed: 'fast', server_tool_use: { web_search_requests: 1 } },
        { server_tool_use: { web_search_requests: 3 } },
        { output_tokens: 4, server_tool_use: { web_search_requests: 0 } },
      ),
    ).toEqual([
      { what: 'the fast mode', percent: 100 },
      { what: '3 × web search', usd: '0.03' },
    ]);
  });

  it('of the items of a response those that are billed', () => {
    expect(
      ofItems(
        search(),
        search('search'),
        search('open_page'),
        search('search', 'failed'),
        { type: 'file_search_call', status: 'completed' },
        { type: 'code_interpreter_call', container_id: 'a' },
        { type: 'code_interpreter_call', container_id: 'a' },
        { type: 'image_generation_call' },
        { type: 'function_call' },
        { type: 'mcp_call' },
      ),
    ).toEqual([
      { what: '2 × web search', usd: '0.02' },
      { what: '1 × file search', usd: '0.0025' },
      { what: '1 × container for code', usd: '0.03' },
      { what: '1 × image' },
    ]);
  });

  it('items of a stream count once, also where the response leaves them out at its end, or is cut', () => {
    const { reading, event } = responsesReader();
    for (const item of [search(), search()]) event({ type: 'response.output_item.done', item });
    expect(reading.reported.surcharges.list()).toEqual([{ what: '2 × web search', usd: '0.02' }]);
    event({ type: 'response.completed', response: { status: 'completed', output: [] } });
    expect(reading.reported.surcharges.list()).toHaveLength(1);
  });

  it('each call of an own tool, billed or not, is one more time that the input was read', () => {
    const report = new UsageReport(true);
    report.add({ input_tokens: 1, server_tool_use: { web_search_requests: 5, web_fetch_requests: 2 } });
    expect(report.passes).toBe(8);
    expect(new UsageReport(true).passes).toBe(1);
  });

  it('a chat answer that cites the web had a search, which nobody priced', () => {
    const annotations = [{ type: 'url_citation', url_citation: {} }];
    const { reading, whole } = chatReader();
    whole({ choices: [{ message: { content: 'x', annotations }, finish_reason: 'stop' }] });
    expect(reading.reported.surcharges.list()).toEqual([{ what: '1 × web search' }]);
  });

  it('nothing that a provider may send is more than a list of texts', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom('server_tool_use', 'cost', 'speed', 'inference_geo', 'num_sources_used', 'tokens'),
          fc.jsonValue(),
        ),
        (usage) => {
          for (const { what, usd = '0' } of said(usage)) {
            expect(typeof what).toBe('string');
            expect(usd).toMatch(/^\d+(?:\.\d+)?$/);
          }
        },
      ),
    );
  });
});
