// Sinks of alerts: who hears of what.
import { canonicalJson } from '../../common/json.ts';
import { printSink } from '../../language/plan/print.ts';
import { missing } from './both.ts';
import { pointer } from './keyed.ts';
import type { Change, Concern } from './types.ts';

export const alerts: Concern = ({ before, after }) => {
  const [from, to] = [before.alerts ?? {}, after.alerts ?? {}];
  const change = (name: string, message: string): Change => ({
    subject: `alerts ${name}`,
    message,
    effects: [],
    covers: [pointer('alerts', name)],
  });
  return [
    ...missing(from, to).map((name) => change(name, 'hears of nothing any more')),
    ...Object.values(to).flatMap((sink) => {
      const old = from[sink.name];
      if (old === undefined) return [change(sink.name, `is told: ${printSink(sink)}`)];
      return canonicalJson(old) === canonicalJson(sink)
        ? []
        : [change(sink.name, `is told otherwise: ${printSink(sink)}`)];
    }),
  ];
};
