// The graph of a task's steps: from left to right in the order in which they can run, an arrow for each result that is read.

interface Step {
  readonly key: string;
  readonly kind: string;
  readonly after: readonly string[];
  readonly route: string | null;
}

const BOX = { width: 190, height: 52, gapX: 56, gapY: 18 };

export function StepGraph({ steps }: { readonly steps: readonly Step[] }) {
  const places = placesOf(steps);
  const all = [...places.values()];
  const width = Math.max(...all.map(({ x }) => x), 0) + BOX.width + 2;
  const height = Math.max(...all.map(({ y }) => y), 0) + BOX.height + 2;
  return (
    <div className="table" tabIndex={0} role="region" aria-label="Graph of the steps">
      <svg width={width} height={height} role="img" aria-label={steps.map(described).join('. ')}>
        {steps.flatMap((step) =>
          step.after.map((earlier) => {
            const from = places.get(earlier);
            const to = places.get(step.key);
            if (from === undefined || to === undefined) return null;
            const [x1, y1, x2, y2] = [
              from.x + BOX.width,
              from.y + BOX.height / 2,
              to.x,
              to.y + BOX.height / 2,
            ];
            const bend = (x2 - x1) / 2;
            return (
              <path
                key={`${earlier} ${step.key}`}
                className="edge"
                d={`M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2 - 5},${y2} m-5,-4 l5,4 l-5,4`}
              />
            );
          }),
        )}
        {steps.map((step) => {
          const place = places.get(step.key);
          return place === undefined ? null : (
            <g key={step.key} transform={`translate(${place.x},${place.y})`}>
              <rect
                className={`node ${step.kind}`}
                width={BOX.width}
                height={BOX.height}
                rx="8"
                x="1"
                y="1"
              />
              <text x="12" y="22" className="node-name">
                {step.key}
              </text>
              <text x="12" y="40" className="node-kind">
                {step.route === null ? step.kind : `${step.kind} · ${step.route}`}
              </text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

const described = ({ key, kind, after }: Step): string =>
  `${key}, ${kind}${after.length === 0 ? '' : `, after ${after.join(' and ')}`}`;

/** A step's column is one behind the last of those that it reads; in a column they stand in the order of the file. */
function placesOf(steps: readonly Step[]): ReadonlyMap<string, { readonly x: number; readonly y: number }> {
  const columns = new Map<string, number>();
  const rows = new Map<number, number>();
  const places = new Map<string, { x: number; y: number }>();
  // A plan lists its steps so that each comes after those that it reads.
  for (const { key, after } of steps) {
    const column = Math.max(-1, ...after.map((earlier) => columns.get(earlier) ?? -1)) + 1;
    const row = rows.get(column) ?? 0;
    columns.set(key, column);
    rows.set(column, row + 1);
    places.set(key, { x: column * (BOX.width + BOX.gapX), y: row * (BOX.height + BOX.gapY) });
  }
  return places;
}
