// The longest time in which /health/live gave no answer while hostile and large texts are parsed, in ms, one line a text. Fails above the limit.
//
//   node scripts/node.mjs scripts/longest-gap.ts URL [LIMIT-MS]
//
// URL is that of a server whose workflows have the tasks `p-email`, `p-diff`, `p-csv` and `p-json`, each a parse step of its format over `input.raw`.
const [url = 'http://127.0.0.1:4000', limit = '250'] = process.argv.slice(2);
const columns = (count: number): string => Array.from({ length: count }, (_, index) => `c${index}`).join(',');
const mail = (headers: string, body = 'b'): string => `From: a@example.com\n${headers}\n\n${body}`;

const TEXTS: readonly (readonly [format: string, what: string, text: string])[] = [
  ['csv', '2,500 columns and short rows', `${columns(2_500)}\n${'a\n'.repeat(2_500)}`],
  ['csv', '100,000 columns', `${columns(100_000)}\n1\n`],
  ['csv', '10,000 rows', `id,name,note\n${'1,"some, name",note\n'.repeat(10_000)}`],
  ['email', '100,000 fields', mail(Array.from({ length: 100_000 }, (_, at) => `X-${at}: a`).join('\n'))],
  ['email', 'brackets in a date', mail(`Date: ${'('.repeat(60_000)}`)],
  ['email', 'brackets for an address', mail(`To: ${'<'.repeat(300_000)}`)],
  ['email', 'nested HTML', mail('Content-Type: text/html', '<div>'.repeat(400_000))],
  ['email', '3 MB of words', mail('Subject: long', 'some words of a letter\n'.repeat(140_000))],
  ['diff', 'a header line of 300 kB', `diff --git a${' a/'.repeat(100_000)}\n`],
  ['diff', '50,000 headers', 'diff --git a/x b/x\n'.repeat(50_000)],
  ['json', '600,000 objects', `[${'{},'.repeat(600_000)}{}]`],
  ['json', '20,000 levels', '['.repeat(20_000) + ']'.repeat(20_000)],
  ['json', '49,000 values', `[${'1,'.repeat(48_990)}1]`],
];

async function gapDuring(work: Promise<unknown>): Promise<number> {
  const state = { isDone: false };
  void work.finally(() => (state.isDone = true));
  let longestMs = 0;
  while (!state.isDone) {
    const startMs = performance.now();
    await fetch(`${url}/health/live`).then((answer) => answer.text());
    longestMs = Math.max(longestMs, performance.now() - startMs);
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
  return longestMs;
}

async function ask(format: string, raw: string): Promise<string> {
  const field = `p${format[0]?.toUpperCase() ?? ''}${format.slice(1)}`;
  const query = `mutation R($raw: String!) { runTask(task: { ${field}: { raw: $raw } }, options: { noCache: true, deadlineMs: 5000 }) { __typename ... on Run { status error { message } } } }`;
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { raw } }),
  });
  return answer.text();
}

let isOver = false;
for (const [format, what, text] of TEXTS) {
  const asked = ask(format, text);
  const gapMs = Math.round(await gapDuring(asked));
  isOver ||= gapMs > Number(limit);
  console.log(`${String(gapMs).padStart(6)} ms  ${format}: ${what}  ${(await asked).slice(0, 160)}`);
}
process.exitCode = isOver ? 1 : 0;
