// Providers: where calls go, with which key, and how they are put.
import { canonicalPlanText } from '../../language/plan/encode.ts';
import { printTemplate } from '../../language/plan/print.ts';
import type { PlanProvider } from '../../language/plan/types.ts';
import { missing } from './both.ts';
import { pointer } from './keyed.ts';
import type { Change, Concern } from './types.ts';

export const providers: Concern = ({ before, after }) => [
  ...missing(before.providers, after.providers).map((name) => whole(name, 'is removed')),
  ...missing(after.providers, before.providers).map((name) => whole(name, 'is new')),
  ...Object.values(before.providers).flatMap((provider) => {
    const other = after.providers[provider.name];
    return other === undefined ? [] : compare(provider, other);
  }),
];

function whole(name: string, message: string): Change {
  return {
    subject: `provider ${name}`,
    message,
    effects: ['provider-changed'],
    covers: [pointer('providers', name)],
  };
}

const MEMBERS = [
  'adapter',
  'vendor',
  'baseUrl',
  'apiKeySecret',
  'moreApiKeySecrets',
  'api',
  'anyApi',
  'headers',
  'sdkOptions',
  'lacks',
  'cost',
] as const;

function compare(from: PlanProvider, to: PlanProvider): readonly Change[] {
  return MEMBERS.flatMap((member): readonly Change[] => {
    if (canonicalPlanText(from[member] ?? null) === canonicalPlanText(to[member] ?? null)) return [];
    return [
      {
        subject: `provider ${to.name}`,
        message: `has ${member} ${shown(to, member)} instead of ${shown(from, member)}`,
        effects: ['provider-changed'],
        covers: [pointer('providers', to.name, member)],
      },
    ];
  });
}

function shown(provider: PlanProvider, member: (typeof MEMBERS)[number]): string {
  switch (member) {
    case 'baseUrl':
      return provider.baseUrl === null ? 'its own' : printTemplate(provider.baseUrl);
    case 'apiKeySecret':
      return provider.apiKeySecret ?? 'none';
    case 'moreApiKeySecrets':
      return provider.moreApiKeySecrets?.join(', ') ?? 'none';
    case 'headers':
      return `{ ${Object.entries(provider.headers)
        .map(([name, value]) => `${name}: ${printTemplate(value)}`)
        .join(', ')} }`;
    case 'lacks':
      return provider.lacks.join(', ') || 'nothing';
    case 'cost':
      return provider.cost ?? 'priced';
    case 'sdkOptions':
      return canonicalPlanText(provider.sdkOptions);
    case 'anyApi':
      return provider.anyApi ? 'either API for the bodies of clients' : `${provider.api} alone`;
    case 'vendor':
      return provider.vendor ?? 'none';
    case 'adapter':
    case 'api':
      return provider[member];
  }
}
