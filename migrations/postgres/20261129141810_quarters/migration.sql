ALTER TABLE "ledger_state" ADD COLUMN "quarters_from_ms" bigint;--> statement-breakpoint
ALTER TABLE "nodes" ADD COLUMN "has_quarters" boolean DEFAULT false NOT NULL;