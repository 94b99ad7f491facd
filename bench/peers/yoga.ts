// What one would write by hand without Headgate: graphql-yoga with one mutation that calls the provider with undici, and nothing else.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSchema, createYoga } from 'graphql-yoga';
import { Agent, request } from 'undici';

const upstream = process.argv[2] ?? '';
const dispatcher = new Agent({ connections: 1024 });

const yoga = createYoga({
  logging: false,
  landingPage: false,
  graphiql: false,
  schema: createSchema({
    typeDefs: /* GraphQL */ `
      type Run {
        status: String!
        answer: String!
        inputTokens: Int!
        outputTokens: Int!
      }
      type Query {
        nothing: Boolean
      }
      type Mutation {
        runTask(text: String!): Run!
      }
    `,
    resolvers: {
      Mutation: {
        runTask: async (_root, { text }: { text: string }) => {
          const { body } = await request(`${upstream}/chat/completions`, {
            method: 'POST',
            dispatcher,
            headers: { 'content-type': 'application/json', authorization: 'Bearer sk-bench' },
            body: JSON.stringify({
              model: 'bench-model',
              max_tokens: 200,
              messages: [
                { role: 'system', content: 'You answer questions. Use only what the text says.' },
                { role: 'user', content: `Answer in two sentences.\n<text>\n${text}\n</text>` },
              ],
            }),
          });
          const answer = (await body.json()) as {
            choices: { message: { content: string } }[];
            usage: { prompt_tokens: number; completion_tokens: number };
          };
          return {
            status: 'SUCCEEDED',
            answer: answer.choices[0]?.message.content,
            inputTokens: answer.usage.prompt_tokens,
            outputTokens: answer.usage.completion_tokens,
          };
        },
      },
    },
  }),
});
const server = createServer((incoming, outgoing) => void yoga(incoming, outgoing));
server.listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
process.once('SIGTERM', () => process.exit(0));
