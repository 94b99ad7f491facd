// drizzle-kit's settings: `npm run db:generate` compares the tables with the last migration and writes the next one.
import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'sqlite',
  schema: './src/ledger/sqlite/tables.ts',
  out: './migrations',
});
