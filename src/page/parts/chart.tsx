// Dollars over time.
import { useEffect, useRef } from 'react';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { nanoUsd, usd } from './usd.ts';

interface Point {
  readonly at: string;
  readonly cost: string;
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
        scales: { y: { range: (_self, _min, max) => [0, Math.max(max * 1.15, 1e-6)] } },
        axes: [
          axis,
          {
            ...axis,
            size: 64,
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
            points: { show: false },
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
