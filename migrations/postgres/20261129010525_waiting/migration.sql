ALTER TABLE "runs" ADD COLUMN "priority" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "begun" bigint DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "cancel_reason" text;--> statement-breakpoint
CREATE INDEX "runs_waiting" ON "runs" ("priority" DESC NULLS LAST,"seq") WHERE node = 0 and finished_at_ms is null;