CREATE TABLE "budget_leases" (
	"budget_id" text,
	"account" text,
	"window_start_ms" bigint,
	"node" bigint,
	"granted" bigint NOT NULL,
	CONSTRAINT "budget_leases_pkey" PRIMARY KEY("budget_id","account","window_start_ms","node")
);
--> statement-breakpoint
CREATE INDEX "budget_leases_by_node" ON "budget_leases" ("node");