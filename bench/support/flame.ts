// A flame graph as an SVG: who called whom, each as wide as its share of the time of V8's samples.

export interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** In microseconds. */
  readonly timeDeltas: readonly number[];
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
}

/** Microseconds of each node itself, by its id, from the n-th sample on. */
export function timesOf({ samples, timeDeltas }: Profile, from: number): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  for (let at = from; at < samples.length; at += 1) {
    const id = samples[at] ?? 0;
    times.set(id, (times.get(id) ?? 0) + (timeDeltas[at] ?? 0));
  }
  return times;
}

const WIDTH = 1200;
const ROW = 16;
/** What is narrower is left out, with what it calls. */
const LEAST_SHARE = 0.004;
const CHARACTER = 6.2;

/** `placeOf`: what a node is coloured by; null: it is left out. */
export function flameGraph(
  { nodes }: Profile,
  times: ReadonlyMap<number, number>,
  placeOf: (node: ProfileNode) => string | null,
): string {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const widths = new Map<number, number>();
  const widthOf = (node: ProfileNode): number => {
    let width = placeOf(node) === null ? 0 : (times.get(node.id) ?? 0);
    for (const child of childrenOf(node)) width += widthOf(child);
    widths.set(node.id, width);
    return width;
  };
  const childrenOf = ({ children = [] }: ProfileNode): readonly ProfileNode[] =>
    children.flatMap((id) => byId.get(id) ?? []);
  const [root] = nodes;
  const total = root === undefined ? 0 : widthOf(root);
  const drawn: string[] = [];
  let rows = 0;
  const draw = (node: ProfileNode, start: number, row: number): void => {
    const share = (widths.get(node.id) ?? 0) / total;
    if (!(share >= LEAST_SHARE)) return;
    rows = Math.max(rows, row + 1);
    const [x, width] = [start * WIDTH, share * WIDTH];
    const name = node.callFrame.functionName || '(anonymous)';
    const room = Math.floor((width - 4) / CHARACTER);
    const label = name.length <= room ? name : room > 3 ? `${name.slice(0, room - 1)}…` : '';
    drawn.push(
      `<rect x="${x.toFixed(1)}" y="${row * ROW}" width="${Math.max(0.5, width - 0.5).toFixed(1)}" height="${ROW - 1}" fill="${colourOf(placeOf(node) ?? '')}"><title>${escaped(`${name}, ${placeOf(node) ?? ''}: ${(100 * share).toFixed(1)} %`)}</title></rect>`,
    );
    if (label !== '')
      drawn.push(`<text x="${(x + 2).toFixed(1)}" y="${row * ROW + 11}">${escaped(label)}</text>`);
    let at = start;
    for (const child of childrenOf(node).toSorted(byWidth)) {
      draw(child, at, row + 1);
      at += (widths.get(child.id) ?? 0) / total;
    }
  };
  const byWidth = (a: ProfileNode, b: ProfileNode): number =>
    (widths.get(b.id) ?? 0) - (widths.get(a.id) ?? 0);
  if (root !== undefined) draw(root, 0, 0);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${rows * ROW}" font-family="monospace" font-size="10">\n${drawn.join('\n')}\n</svg>\n`;
}

const COLOURS = [
  '#8dd3c7',
  '#ffed6f',
  '#bebada',
  '#fb8072',
  '#80b1d3',
  '#fdb462',
  '#b3de69',
  '#fccde5',
  '#bc80bd',
  '#ccebc5',
];

/** The same for a place each time. */
function colourOf(place: string): string {
  let sum = 0;
  for (const character of place) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return COLOURS[sum % COLOURS.length] ?? '#ccc';
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
