// Dollars over time.
import { useEffect, useRef } from 'react';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { nanoUsd, usd } from './usd.ts';

interface Point {
  readonly at: string;
  readonly cost: string;
}

/** Of a single moment, the hour before it; without any, the hour before now. */
function hourAtLeast(_self: unknown, from: number | null, to: number | null): [number, number] {
  if (from !== null && to !== null && to > from) return [from, to];
  const at = to ?? Date.now() / 1000;
  return [at - 3600, at];
}

export function Chart({ points, label }: { readonly points: readonly Point[]; readonly label: string }) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<UPlot>(null);

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis = {
      stroke: () => colour('--faint'),
      grid: { stroke: () => colour('--line'), width: 1 },
      ticks: { show: false },
    };
    const made = new UPlot(
      {
        width: element.clientWidth,
        height: 140,
        legend: { show: false },
        cursor: { y: false },
        scales: {
          x: { range: hourAtLeast },
          y: { range: (_self, _min, max) => [0, max > 0 ? max * 1.15 : 0.01] },
        },
        axes: [
          axis,
          {
            ...axis,
            size: (_self, values) => Math.max(64, ...(values ?? []).map((value) => value.length * 8 + 14)),
            values: (_self, ticks) => ticks.map((tick) => usd(BigInt(Math.round(tick * 1e9)))),
          },
        ],
        series: [
          {},
          {
            label: '$',
            stroke: () => colour('--accent'),
            width: 2,
            fill: () => colour('--accent-soft'),
            // One alone makes no line.
            points: { show: (self) => self.data[0].length === 1 },
          },
        ],
      },
      [[], []],
      element,
    );
    chart.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: 140 }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    // Drawn only: no amount is computed from these floats.
    chart.current?.setData([
      points.map(({ at }) => new Date(at).getTime() / 1000),
      points.map(({ cost }) => Number(nanoUsd(cost)) / 1e9),
    ]);
  }, [points]);

  const dearest = points.reduce((most, { cost }) => (nanoUsd(cost) > most ? nanoUsd(cost) : most), 0n);
  return (
    <div className="chart" ref={place} role="img" aria-label={`${label}; the most at once ${usd(dearest)}`} />
  );
}
