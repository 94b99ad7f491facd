// drizzle-kit's settings for the ledger in PostgreSQL, beside those for SQLite in drizzle.config.ts.
import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: './src/ledger/postgres/tables.ts',
  out: './migrations/postgres',
});
