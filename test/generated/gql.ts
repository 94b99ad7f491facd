/* eslint-disable */
import * as types from './graphql.ts';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  mutation SummarizeText($text: String!) {\n    runTask(task: { summarize: { text: $text } }, options: { tags: [{ key: \"app\", value: \"docs\" }] }) {\n      __typename\n      ... on Run {\n        id\n        cost\n        output {\n          ... on SummarizeOutput {\n            summary\n          }\n        }\n      }\n      ... on InvalidInput {\n        problems {\n          path\n          message\n        }\n      }\n      ... on BudgetExceeded {\n        budget\n        resetsAt\n      }\n      ... on Refusal {\n        code\n        message\n        remedy\n      }\n    }\n  }\n": typeof types.SummarizeTextDocument,
    "\n  subscription SpendToday {\n    costStats(window: DAY, everyMs: 1000) {\n      total {\n        runs\n        cost\n      }\n    }\n  }\n": typeof types.SpendTodayDocument,
    "\n  mutation Summarize($text: String!) {\n    runTask(task: { summarize: { text: $text, sentences: 2 } }) {\n      __typename\n      ... on Run {\n        id\n        status\n        outputJson\n        cost\n        latencyMs\n        attempts {\n          status\n          errorClass\n          model\n          provider {\n            name\n          }\n          inputTokens\n          outputTokens\n          cost\n        }\n      }\n      ... on InvalidInput {\n        code\n        problems {\n          path\n          message\n        }\n      }\n      ... on NoProviderAvailable {\n        code\n        message\n        remedy\n      }\n    }\n  }\n": typeof types.SummarizeDocument,
    "\n  query TaskNames {\n    taskTypes {\n      name\n    }\n  }\n": typeof types.TaskNamesDocument,
};
const documents: Documents = {
    "\n  mutation SummarizeText($text: String!) {\n    runTask(task: { summarize: { text: $text } }, options: { tags: [{ key: \"app\", value: \"docs\" }] }) {\n      __typename\n      ... on Run {\n        id\n        cost\n        output {\n          ... on SummarizeOutput {\n            summary\n          }\n        }\n      }\n      ... on InvalidInput {\n        problems {\n          path\n          message\n        }\n      }\n      ... on BudgetExceeded {\n        budget\n        resetsAt\n      }\n      ... on Refusal {\n        code\n        message\n        remedy\n      }\n    }\n  }\n": types.SummarizeTextDocument,
    "\n  subscription SpendToday {\n    costStats(window: DAY, everyMs: 1000) {\n      total {\n        runs\n        cost\n      }\n    }\n  }\n": types.SpendTodayDocument,
    "\n  mutation Summarize($text: String!) {\n    runTask(task: { summarize: { text: $text, sentences: 2 } }) {\n      __typename\n      ... on Run {\n        id\n        status\n        outputJson\n        cost\n        latencyMs\n        attempts {\n          status\n          errorClass\n          model\n          provider {\n            name\n          }\n          inputTokens\n          outputTokens\n          cost\n        }\n      }\n      ... on InvalidInput {\n        code\n        problems {\n          path\n          message\n        }\n      }\n      ... on NoProviderAvailable {\n        code\n        message\n        remedy\n      }\n    }\n  }\n": types.SummarizeDocument,
    "\n  query TaskNames {\n    taskTypes {\n      name\n    }\n  }\n": types.TaskNamesDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SummarizeText($text: String!) {\n    runTask(task: { summarize: { text: $text } }, options: { tags: [{ key: \"app\", value: \"docs\" }] }) {\n      __typename\n      ... on Run {\n        id\n        cost\n        output {\n          ... on SummarizeOutput {\n            summary\n          }\n        }\n      }\n      ... on InvalidInput {\n        problems {\n          path\n          message\n        }\n      }\n      ... on BudgetExceeded {\n        budget\n        resetsAt\n      }\n      ... on Refusal {\n        code\n        message\n        remedy\n      }\n    }\n  }\n"): typeof import('./graphql.ts').SummarizeTextDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription SpendToday {\n    costStats(window: DAY, everyMs: 1000) {\n      total {\n        runs\n        cost\n      }\n    }\n  }\n"): typeof import('./graphql.ts').SpendTodayDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Summarize($text: String!) {\n    runTask(task: { summarize: { text: $text, sentences: 2 } }) {\n      __typename\n      ... on Run {\n        id\n        status\n        outputJson\n        cost\n        latencyMs\n        attempts {\n          status\n          errorClass\n          model\n          provider {\n            name\n          }\n          inputTokens\n          outputTokens\n          cost\n        }\n      }\n      ... on InvalidInput {\n        code\n        problems {\n          path\n          message\n        }\n      }\n      ... on NoProviderAvailable {\n        code\n        message\n        remedy\n      }\n    }\n  }\n"): typeof import('./graphql.ts').SummarizeDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query TaskNames {\n    taskTypes {\n      name\n    }\n  }\n"): typeof import('./graphql.ts').TaskNamesDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
